"""The contract of a store as tests: what every implementation must pass, ours and anybody's.

A test module of a store has one class::

    from threadwell.stores.suite import StoreContract

    class TestMyStore(StoreContract):
        def open(self, path):
            return MyStore(path)

``open`` returns an empty store; ``path`` is an empty folder of its own. The suite needs pytest;
``pytest.register_assert_rewrite("threadwell.stores.suite")`` in a ``conftest.py`` lets it show the
values of a failed assertion.
"""

from threadwell.stores.suite.bounds import Bounds
from threadwell.stores.suite.changes import Changes
from threadwell.stores.suite.copies import Copies
from threadwell.stores.suite.expunging import Expunging
from threadwell.stores.suite.inclusion import Inclusion
from threadwell.stores.suite.kept import KeptValues
from threadwell.stores.suite.news import News
from threadwell.stores.suite.order import Order
from threadwell.stores.suite.pages import Pages
from threadwell.stores.suite.parameters import OwnParameters
from threadwell.stores.suite.preconditions import Preconditions
from threadwell.stores.suite.references import References
from threadwell.stores.suite.searches import Searches
from threadwell.stores.suite.versions import Versions


class StoreContract(
    Versions,
    Changes,
    Preconditions,
    Searches,
    References,
    Order,
    Pages,
    Bounds,
    Inclusion,
    Copies,
    KeptValues,
    News,
    OwnParameters,
    Expunging,
):
    """Every test of the contract."""


__all__ = ["StoreContract"]
