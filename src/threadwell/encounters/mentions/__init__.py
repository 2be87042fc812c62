"""Which patients a text names: how a mother's message tells which of her children it is about.

A name counts only as a name: precision goes before recall, since an encounter of the wrong patient
costs more than a question. The flow is ``tokens`` → ``forms`` (where a name may stand) →
``context`` (what stands around it) → ``doubts`` and ``evidence`` → ``names``, which decides. What
is known of each language is data, in ``languages/``.
"""

from threadwell.encounters.mentions.forms import Called, called
from threadwell.encounters.mentions.names import Mention, Names

__all__ = ["Called", "Mention", "Names", "called"]
