"""Operations of terminology (FHIR R4 §4.7.7 to §4.10.16), on what is stored or compiled in."""

from collections.abc import Mapping

from threadwell.api.context import Handler
from threadwell.api.rest.terminology import checking, expand, looking, translating

#: Each operation's handler by its type and name.
OPERATIONS: Mapping[tuple[str, str], Handler] = {
    ("ValueSet", expand.NAME): expand.expand,
    ("ValueSet", checking.NAME): checking.in_value_set,
    ("CodeSystem", checking.NAME): checking.in_code_system,
    ("CodeSystem", looking.LOOKUP): looking.lookup,
    ("CodeSystem", looking.SUBSUMES): looking.subsumes,
    ("ConceptMap", translating.NAME): translating.translate_,
}
