"""Profiles as closures: each compiled when it is first met, and what each says beyond R4."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from threadwell.fhir.definitions.constraints import constraints
from threadwell.fhir.definitions.structures import Element, primitive
from threadwell.fhir.fhirpath.tree import Unsupported
from threadwell.fhir.profiles.bindings import Codes, codes_of, held, once
from threadwell.fhir.profiles.conditions import condition
from threadwell.fhir.profiles.discriminators import matcher, target
from threadwell.fhir.profiles.kinds import (
    code_of,
    is_own,
    own_type,
    plain,
    resource_test,
    type_test,
)
from threadwell.fhir.profiles.library import MALFORMED, BadProfile, Library
from threadwell.fhir.profiles.lists import OfList, Slice, all_of, all_of_these, members, sliced
from threadwell.fhir.profiles.places import ELEMENT, Place, member
from threadwell.fhir.profiles.said import Matcher, Run, Test
from threadwell.fhir.profiles.same import told
from threadwell.fhir.profiles.tree import Node, tree
from threadwell.fhir.resource import Resource

_EXTENSIONS = ("extension", "modifierExtension")
_BY_URL = [{"type": "value", "path": "url"}]
_BY_TYPE = [{"type": "type", "path": "$this"}]
_MAX_SET = "http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet"


class Compiler:
    """Compiles the profiles of a library, each once. ``passed_over`` tells what in them is not
    looked at, and why.
    """

    def __init__(self, library: Library) -> None:
        self.library = library
        self._tests: dict[str, Test | None] = {}
        self._trees: dict[str, tuple[Node, dict[str, Node]] | None] = {}
        self.passed_over: dict[str, None] = {}
        self.unusable: dict[str, str] = {}
        self.codes_of: Callable[[str], Codes | None] = once(lambda url: codes_of(url, library))
        self.type_of = library.type_of

    def test_of(self, url: str) -> Test | None:
        """The check of a profile; ``None`` where it is not known, or cannot be used: then
        ``unusable`` says why. One that is R4's own checks nothing.
        """
        if url in self._tests:
            return self._tests[url]
        structure = self.library.structure(url)
        if structure is None:
            test = self._tests[url] = own_type(url) if is_own(url) else None
            return test
        # One that leads to itself is met again before it is compiled.
        self._tests[url] = lambda place, run: self._again(url, place, run)
        try:
            test = self._compiled(url, structure)
        except (BadProfile, *MALFORMED) as error:
            text = str(error) if isinstance(error, BadProfile) else "it is not made as R4 has it"
            self.unusable[url] = text[:300]
            test = None
        self._tests[url] = test
        return test

    def root_of(self, url: str) -> Node | None:
        """The root of a profile."""
        found = self._trees_of(url)
        return found[0] if found else None

    def inherited(self, url: str, id_: str) -> Node | None:
        """The node of that id in the profile that one is based on, however far."""
        met: set[str] = set()
        while url and url not in met:
            met.add(url)
            structure = self.library.structure(url)
            url = str((structure or {}).get("baseDefinition", ""))
            found = self._trees_of(url) if url else None
            if found and id_ in found[1] and found[1][id_].says.get("slicing"):
                return found[1][id_]
        return None

    def _compiled(self, url: str, structure: Resource) -> Test:
        found = self._trees_of(url)
        assert found is not None, "its structure is there"
        root, nodes = found
        of = str(structure.get("type", root.name)).rpartition("/")[2]
        tests: list[Test] = [type_test(of)]
        if not (structure.get("snapshot") or {}).get("element"):
            base = self.test_of(str(structure.get("baseDefinition", "")))
            tests += [base] if base is not None else []
        inner = _Compiling(self, nodes, of, url).item(root, of, of, None)
        tests += [inner] if inner is not None else []
        return all_of_these(tests)

    def _trees_of(self, url: str) -> tuple[Node, dict[str, Node]] | None:
        if url not in self._trees:
            structure = self.library.structure(url)
            try:
                self._trees[url] = None if structure is None else tree(structure)
            except BadProfile as error:
                raise BadProfile(f"{url[:200]}: {error}") from None
            except MALFORMED:
                raise BadProfile(f"{url[:200]} is not made as R4 has it") from None
        return self._trees[url]

    def _again(self, url: str, place: Place, run: Run) -> None:
        test = self._tests[url]
        if test is not None:
            run.depth += 1
            run.look()
            test(place, run)
            run.depth -= 1


class _Compiling:
    """One profile."""

    def __init__(self, compiler: Compiler, nodes: dict[str, Node], of: str, url: str) -> None:
        self._compiler = compiler
        self._nodes = nodes
        self._of = of
        self._url = url
        self._referred: dict[tuple[str, str], Test | None] = {}

    def item(self, node: Node, type_: str, owner: str, element: Element | None) -> Test | None:
        """The check of one value of a node, of that type; ``owner`` is the type it stands in."""
        if "contentReference" in node.says:
            return self._same_as(str(node.says["contentReference"]), type_)
        if (refused := self._refused(node, type_, element)) is not None:
            return refused
        tests: list[Test | None] = [self._told(node), self._types(node, type_, element)]
        tests.append(self._binding(node, type_, element))
        tests += self._conditions(node, type_, owner)
        if not primitive(type_) or node.children:
            tests.append(self.children(node, ELEMENT if primitive(type_) else type_))
        return all_of(tests)

    def children(self, node: Node, type_: str) -> Test | None:
        """The check of all that stands below a value of a type."""
        if type_ == "Resource":
            return None
        tests = [self._member(child, type_) for child in node.children.values()]
        return all_of(tests)

    def _member(self, node: Node, type_: str) -> Test | None:
        found = member(type_, node.name)
        if found is None:
            if node.name != "value" and node.says.get("max") != "0":
                self._pass_over(f"{node.id}: {type_} has no {node.name}")
            return None
        element, names = found
        by_type = {
            of: test
            for of in dict.fromkeys(names.values())
            if (test := self.item(node, of, type_, element)) is not None
        }
        slices = self._slices(node, names, type_, element)
        least = node.least if node.least > int(element.required) else 0
        most = node.most
        if most == 1 and not element.many:
            most = None
        if not by_type and slices is None and not least and most is None:
            return None
        return members(node.name, element.name, least, most, by_type, slices)

    def _slices(
        self, node: Node, names: dict[str, str], owner: str, element: Element
    ) -> OfList | None:
        if not node.slices:
            return None
        slicing = node.says.get("slicing")
        if slicing is None:
            inherited = self._compiler.inherited(self._url, node.id)
            slicing = inherited.says.get("slicing") if inherited else None
        slicing = slicing or {}
        by = slicing.get("discriminator") or (
            _BY_URL if node.name in _EXTENSIONS else _BY_TYPE if element.choice else []
        )
        compiled: list[Slice] = []
        for one in node.slices.values():
            matches = self._matcher(one, by, names)
            if matches is None:
                self._pass_over(f"{one.id}: nothing here tells what is of this slice")
                continue
            tests = {
                of: test
                for of in dict.fromkeys(names.values())
                if (test := self.item(one, of, owner, element)) is not None
            }
            inner = self._slices(one, names, owner, element)
            compiled.append(Slice(one, matches, tests, inner))
        whole = len(compiled) == len(node.slices)
        rules = str(slicing.get("rules", "open")) if whole else "open"
        if whole and self._of == "Extension" and node.id == "Extension.extension":
            # Extensions that have no url of their own are the definition's alone.
            rules = "parts" if rules == "open" else rules
        return sliced(compiled, rules, in_order=bool(slicing.get("ordered")) and whole)

    def _matcher(
        self, node: Node, by: list[dict[str, Any]], names: dict[str, str]
    ) -> Matcher | None:
        if node.name in _EXTENSIONS and by == _BY_URL:
            # Most of all slices; the url is that of the profile.
            urls = [url for type_ in node.types for url in type_.get("profile", ())]
            if len(urls) == 1:
                wanted = urls[0].partition("|")[0]
                return lambda place, _: bool(place.value.get("url") == wanted)
        if by == _BY_TYPE and not node.types:
            # A differential may name no more than the slice: valueQuantity.
            of = names.get(node.slice)
            return (lambda place, _: place.type == of) if of else None
        return matcher(node, by, self._compiler)

    def _told(self, node: Node) -> Test | None:
        wanted = told(node)
        if wanted is None:
            return None
        is_fixed = any(name.startswith("fixed") for name in node.says)
        text = (
            "It must be the value that the profile fixes"
            if is_fixed
            else ("It does not fit the pattern that the profile has")
        )

        def check(place: Place, run: Run) -> None:
            if not wanted(place.value):
                run.say("value", text, place.path)

        return check

    def _refused(self, node: Node, type_: str, element: Element | None) -> Test | None:
        """What says that no value of that type may be here; ``None`` where it may."""
        codes = {code_of(one) for one in node.types if "code" in one}
        if element is None or not element.choice or not codes or codes & {type_, plain(type_)}:
            return None
        text = f"The profile allows no {type_} here"
        return lambda place, run: run.say("structure", text, place.path)

    def _types(self, node: Node, type_: str, element: Element | None) -> Test | None:
        """Whether its type is allowed, and its profiles and targets."""
        listed = [one for one in node.types if "code" in one]
        if element is None or not listed:
            return None
        codes = {code_of(one) for one in listed}
        of_resource = type_ == "Resource"
        tests: list[Test | None] = []
        if of_resource and not codes & {"Resource", "DomainResource"}:
            tests.append(resource_test(codes))
        for one in listed:
            code = code_of(one)
            if code in (type_, plain(type_)) or of_resource:
                tests.append(self._profiles(one, code, of_resource=of_resource))
                tests.append(self._targets(one) if code == "Reference" else None)
        return all_of(tests)

    def _profiles(self, type_: dict[str, Any], code: str, *, of_resource: bool) -> Test | None:
        urls = [url for url in type_.get("profile", ()) if isinstance(url, str)]
        tests = [self._compiler.test_of(url) for url in urls]
        if not urls or None in tests:
            for url, test in zip(urls, tests, strict=True):
                if test is None:
                    self._pass_over(f"{url} is not known here")
            return None
        known = [test for test in tests if test is not None]

        def check(place: Place, run: Run) -> None:
            if of_resource and place.type != code:
                return
            run.look()
            if len(known) == 1:
                run.depth += 1
                known[0](place, run)
                run.depth -= 1
                return
            for test in known:
                trial = run.quiet()
                test(place, trial)
                if not trial.failed:
                    return
            run.say("structure", "It is as none of the profiles that it may be of", place.path)

        return check

    def _targets(self, type_: dict[str, Any]) -> Test | None:
        named = [url for url in type_.get("targetProfile", ()) if isinstance(url, str)]
        types = {self._compiler.type_of(url) for url in named}
        if not named or "" in types or types & {"Resource", "DomainResource"}:
            return None
        text = f"The profile has it refer to {', '.join(sorted(types))}"

        def check(place: Place, run: Run) -> None:
            found = target(place, run)
            if found is not None and found.type not in types:
                run.say("value", text, f"{place.path}.reference")

        return check

    def _binding(self, node: Node, type_: str, element: Element | None) -> Test | None:
        binding = node.says.get("binding") or {}
        strength, url = binding.get("strength"), binding.get("valueSet")
        most = [
            one.get("valueCanonical") or one.get("valueUri") or one.get("valueReference")
            for one in binding.get("extension", ())
            if one.get("url") == _MAX_SET
        ]
        tests = []
        if strength in ("required", "extensible") and isinstance(url, str):
            tests.append(self._bound(url, type_, element, required=strength == "required"))
        tests += [self._bound(u, type_, element, required=True) for u in most if isinstance(u, str)]
        return all_of(tests)

    def _bound(
        self, url: str, type_: str, element: Element | None, *, required: bool
    ) -> Test | None:
        if element is not None and url.partition("|")[0] == element.value_set:
            return None  # R4 has it so
        if type_ not in ("code", "Coding", "CodeableConcept", "Quantity", "string", "uri"):
            return None
        codes_of = self._compiler.codes_of
        severity = "error" if required else "warning"
        text = f"Code is not in the {'required' if required else 'extensible'} value set {url}"

        def check(place: Place, run: Run) -> None:
            value = place.value
            if value is None or (
                not required and type_ == "CodeableConcept" and not value.get("coding")
            ):
                return
            codes = codes_of(url)
            if codes is not None and held(codes, value, type_) is False:
                run.say("code-invalid", text, place.path, severity)

        return check

    def _conditions(self, node: Node, type_: str, owner: str) -> list[Test]:
        path = type_ if node.name == self._of or "." in type_ else f"{owner}.{node.name}"
        own = {one.key for one in (*constraints(path), *constraints(type_))}
        tests: list[Test] = []
        for one in node.says.get("constraint", ()):
            key, expression = str(one.get("key", "")), one.get("expression")
            if key in own or key in _EVERYWHERE or not isinstance(expression, str):
                continue
            severity = "error" if one.get("severity") == "error" else "warning"
            try:
                holds = condition(expression, type_, self._of, self._compiler.codes_of)
            except Unsupported as error:
                self._pass_over(f"{key[:40]} is not checked: {str(error)[:100]}")
                continue
            text = f"{str(one.get('human', '')).strip().removesuffix('.')[:300]} ({key[:40]})"

            def check(
                place: Place, run: Run, holds: Any = holds, text: str = text, how: str = severity
            ) -> None:
                if place.value is not None and not holds(place.value, run.top):
                    run.say("invariant", text, place.path, how)

            tests.append(check)
        return tests

    def _same_as(self, reference: str, type_: str) -> Test | None:
        """An element that is made as another: compiled once, as it may stand in itself."""
        id_ = reference.rpartition("#")[2]
        node = self._nodes.get(id_)
        if node is None or node.name == self._of:
            return None
        asked = id_, type_
        if asked not in self._referred:
            referred = self._referred
            referred[asked] = None

            def check(place: Place, run: Run) -> None:
                test = referred[asked]
                if test is not None:
                    run.look()
                    test(place, run)

            made = self.children(node, type_)
            referred[asked] = made
            return check
        return lambda place, run: _run(self._referred[asked], place, run)

    def _pass_over(self, what: str) -> None:
        self._compiler.passed_over[what] = None


#: Constraints of every element and extension, which are R4's.
_EVERYWHERE = frozenset({"ele-1", "ext-1", "dom-2", "dom-3", "dom-4", "dom-5", "dom-6", "ref-1"})


def _run(test: Test | None, place: Place, run: Run) -> None:
    if test is not None:
        run.look()
        test(place, run)
