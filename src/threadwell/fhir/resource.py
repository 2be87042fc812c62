"""A FHIR resource in Python: the JSON object itself, as plain ``dict``.

Decimals are ``decimal.Decimal`` so that ``1.10`` stays ``1.10``; see ``threadwell.fhir.json``.
"""

from __future__ import annotations

from typing import Any, TypeAlias

Resource: TypeAlias = dict[str, Any]
