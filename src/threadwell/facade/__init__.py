"""Threadwell in Python: the verbs of FHIR, and the import, on a store.

Everything takes the way of a request to the API, in this process: what is valid, found or refused
over HTTP is so here.
"""

from threadwell.facade.errors import OperationOutcomeError
from threadwell.facade.threadwell import Threadwell, open_threadwell

__all__ = ["OperationOutcomeError", "Threadwell", "open_threadwell"]
