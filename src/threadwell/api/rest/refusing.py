"""What intake refuses, as the outcome that a client is given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from threadwell.fhir.outcome import FhirError, Issue
from threadwell.intake.acts import BadAct
from threadwell.intake.bad_setting import BadSetting
from threadwell.intake.patience import Contended
from threadwell.intake.receipts.marking import BadReceipt
from threadwell.intake.replies.asked import BadReply
from threadwell.intake.thread_acts.retracting import BadRetraction


@contextmanager
def refusing() -> Iterator[None]:
    """Raise 422 for what cannot be done, with the reason; 409 where others keep writing."""
    try:
        yield
    except (BadAct, BadReceipt, BadReply, BadRetraction, BadSetting) as error:
        raise FhirError(422, [Issue("business-rule", str(error))]) from None
    except Contended:
        raise FhirError(
            409, [Issue("conflict", "Conflict: please try again")], "conflict"
        ) from None
