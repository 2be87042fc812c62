"""From an element of a resource to the values that it is found by (FHIR R4 search.html#ptypes).

``converter`` answers for a search parameter's type and an element's type. The elements are those
of a valid resource.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation, Overflow, localcontext
from typing import Any

from threadwell.fhir.search.fold import contact_code, text_code
from threadwell.fhir.search.numbers import INFINITY, compared, decimal
from threadwell.fhir.search.references import (
    parse_absolute,
    split_canonical,
    split_reference,
)
from threadwell.fhir.search.steps import Sink
from threadwell.fhir.search.times import date_range
from threadwell.fhir.search.values import (
    MAX_TIME,
    MIN_TIME,
    DateValue,
    NumberValue,
    QuantityValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriValue,
    of_type,
)

_SAMPLE = re.compile(r"[+-]?\d{1,100}(\.\d{1,100})?([eE][+-]?\d{1,3})?", re.ASCII)
#: The member of a HumanName whose later parts are names too (FHIR R4 search.html#string).
_PARTED = "family"
_CURRENCIES = "urn:iso:std:iso:4217"


def converter(parameter_type: str, element_type: str, name: str = "") -> Sink | None:
    """What puts the values of an element into a list; ``None`` where it has none of that type.

    So ``Procedure.performedString`` is not found by the date parameter ``date``. ``name`` is that
    of the member that holds the element.
    """
    if parameter_type == "string" and name == _PARTED:
        return _parted_string
    if element_type == "Extension":
        return _extension(parameter_type)
    return _CONVERTERS[parameter_type].get(element_type)


def _concept(concept: dict[str, Any], out: list[Any]) -> None:
    text = concept.get("text", "")
    codings = concept.get("coding")
    if not codings:
        if text:
            out.append(TokenValue("", "", text))
        return
    out.extend(
        [
            TokenValue(c.get("system", ""), c.get("code", ""), c.get("display") or text)
            for c in codings
        ]
    )
    if text and text != out[-1].text:
        out.append(TokenValue("", "", text))


def _coding(coding: dict[str, Any], out: list[Any]) -> None:
    out.append(
        TokenValue(coding.get("system", ""), coding.get("code", ""), coding.get("display", ""))
    )


def _identifier(identifier: dict[str, Any], out: list[Any]) -> None:
    out.append(_identifier_token(identifier))
    if "type" in identifier and (value := identifier.get("value")):
        # ``:of-type`` looks for these. No system has a ``|`` in it.
        out.extend(
            TokenValue(of_type(coding.get("system", ""), coding["code"]), value)
            for coding in identifier["type"].get("coding", ())
            if coding.get("code")
        )


def _identifier_token(identifier: dict[str, Any]) -> TokenValue:
    return TokenValue(
        identifier.get("system", ""),
        identifier.get("value", ""),
        identifier["type"].get("text", "") if "type" in identifier else "",
    )


def _contact_point(point: dict[str, Any], out: list[Any]) -> None:
    out.append(TokenValue(point.get("system", ""), contact_code(point.get("value", ""))))


def _code(code: str, out: list[Any]) -> None:
    out.append(TokenValue("", code))


def _boolean(boolean: bool, out: list[Any]) -> None:
    out.append(TokenValue("", "true" if boolean else "false"))


def _reference(reference: dict[str, Any], out: list[Any]) -> None:
    text = reference.get("reference", "")
    type_, id_ = split_reference(text)
    identifier = reference.get("identifier")
    token = _identifier_token(identifier) if identifier else None
    if type_:
        version = text[len(type_) + len(id_) + 2 :].removeprefix("_history/")
        out.append(ReferenceValue(type_, id_, "", token, version))
        return
    absolute = parse_absolute(text)
    if absolute:
        out.append(ReferenceValue("", "", absolute.url, token, absolute.version))
    else:
        out.append(ReferenceValue("", "", text, token))


def _located(url: str, out: list[Any]) -> None:
    """What a url leads to, as an attachment's to the Binary that has its bytes."""
    _reference({"reference": url}, out)


def _canonical_reference(text: str, out: list[Any]) -> None:
    url, version = split_canonical(text)
    type_, id_ = split_reference(url)
    out.append(ReferenceValue(type_, id_, "" if type_ else url, None, version, canonical=True))


def _resource_reference(resource: dict[str, Any], out: list[Any]) -> None:
    out.append(ReferenceValue(resource["resourceType"], resource.get("id", ""), ""))


def _canonical_forms(url: str) -> tuple[str, ...]:
    bare, bar, _ = url.partition("|")
    return (url, bare) if bar else (url,)


def _string(text: str, out: list[Any]) -> None:
    out.append(StringValue(text))


def _string_token(text: str, out: list[Any]) -> None:
    out.append(TokenValue("", text_code(text)))


def _parted_string(text: str, out: list[Any]) -> None:
    out.append(StringValue(text, parted=True))


def _human_name(name: dict[str, Any], out: list[Any]) -> None:
    _strings(name, ("text", "family", "given", "prefix", "suffix"), out)


def _address(address: dict[str, Any], out: list[Any]) -> None:
    parts = ("text", "line", "city", "district", "state", "postalCode", "country")
    _strings(address, parts, out)


def _strings(element: dict[str, Any], parts: tuple[str, ...], out: list[Any]) -> None:
    for part in parts:
        found = element.get(part)
        if isinstance(found, list):
            out.extend(StringValue(text) for text in found if text is not None)
        elif found is not None:
            out.append(StringValue(found, parted=part == _PARTED))


def _date(text: str, out: list[Any]) -> None:
    found = _range(text)
    if found:
        out.append(found)


def _period(period: dict[str, Any], out: list[Any]) -> None:
    start, end = _range(period.get("start", "")), _range(period.get("end", ""))
    if start or end:
        low, high = start.low if start else MIN_TIME, end.high if end else MAX_TIME
        # One that ends before it begins is taken as the time between.
        out.append(DateValue(min(low, high), max(low, high)))


def _timing(timing: dict[str, Any], out: list[Any]) -> None:
    """The outer limits of the events and of the bounds."""
    found: list[DateValue] = []
    for event in timing.get("event", ()):
        _date(event or "", found)
    _period(timing.get("repeat", {}).get("boundsPeriod", {}), found)
    if found:
        out.append(DateValue(min(v.low for v in found), max(v.high for v in found)))


def _range(text: str) -> DateValue | None:
    found = date_range(text)
    return DateValue(*found) if found else None


def _number(number: Any, out: list[Any]) -> None:
    value = decimal(number)
    out.append(NumberValue(value, value, value))


def _number_range(range_: dict[str, Any], out: list[Any]) -> None:
    low, high = _ends(range_)
    if low.is_finite() or high.is_finite():
        out.append(NumberValue(low if low.is_finite() else high, low, high))


def _quantity(quantity: dict[str, Any], out: list[Any]) -> None:
    if "value" not in quantity:
        return
    value = decimal(quantity["value"])
    low, high = compared(value, quantity.get("comparator", ""))
    out.append(
        QuantityValue(
            value,
            low,
            high,
            quantity.get("system", ""),
            quantity.get("code", ""),
            quantity.get("unit", ""),
        )
    )


def _quantity_range(range_: dict[str, Any], out: list[Any]) -> None:
    low, high = _ends(range_)
    if low.is_finite() or high.is_finite():
        of = range_.get("low") or range_["high"]
        value = low if low.is_finite() else high
        out.append(
            QuantityValue(
                value, low, high, of.get("system", ""), of.get("code", ""), of.get("unit", "")
            )
        )


def _ends(range_: dict[str, Any]) -> tuple[Decimal, Decimal]:
    low = range_.get("low", {}).get("value")
    high = range_.get("high", {}).get("value")
    return (
        -INFINITY if low is None else decimal(low),
        INFINITY if high is None else decimal(high),
    )


def _money(money: dict[str, Any], out: list[Any]) -> None:
    if "value" in money:
        value = decimal(money["value"])
        currency = money.get("currency", "")
        system = _CURRENCIES if currency else ""
        out.append(QuantityValue(value, value, value, system, currency, currency))


def _sampled(sampled: dict[str, Any], out: list[Any]) -> None:
    """From the least to the greatest sample, in the unit of the origin."""
    origin = sampled["origin"]
    if "value" not in origin:
        return
    base, factor = decimal(origin["value"]), decimal(sampled.get("factor", 1))
    # "E" is an error, "U" and "L" are beyond the limits of the device; R4 checks no other words.
    samples = [Decimal(s) for s in sampled.get("data", "").split() if _SAMPLE.fullmatch(s)]
    if not samples:
        return
    with localcontext() as context:
        context.traps[InvalidOperation] = context.traps[Overflow] = False
        ends = base + min(samples) * factor, base + max(samples) * factor
    if all(end.is_finite() for end in ends):
        low, high = sorted(ends)
        out.append(
            QuantityValue(
                low,
                low,
                high,
                origin.get("system", ""),
                origin.get("code", ""),
                origin.get("unit", ""),
            )
        )


def _uri(uri: str, out: list[Any]) -> None:
    out.append(UriValue(uri))


def _canonical_uri(uri: str, out: list[Any]) -> None:
    out.extend(UriValue(form) for form in _canonical_forms(uri))


def _extension(parameter_type: str) -> Sink:
    """The value of an extension, whose type its JSON name tells."""
    by_name = {
        f"value{type_[0].upper()}{type_[1:]}": convert
        for type_, convert in _CONVERTERS[parameter_type].items()
    }

    def convert(extension: dict[str, Any], out: list[Any]) -> None:
        for name, value in extension.items():
            if name in by_name:
                by_name[name](value, out)

    return convert


_CONVERTERS: dict[str, dict[str, Sink]] = {
    "token": {
        "CodeableConcept": _concept,
        "Coding": _coding,
        "ContactPoint": _contact_point,
        "Identifier": _identifier,
        "boolean": _boolean,
        "code": _code,
        "id": _code,
        "string": _string_token,
        "uri": _code,
    },
    "reference": {
        "Reference": _reference,
        "Resource": _resource_reference,
        "canonical": _canonical_reference,
        "uri": _canonical_reference,
        "url": _located,
    },
    "string": {
        "Address": _address,
        "CodeableConcept": lambda concept, out: _strings(concept, ("text",), out),
        "HumanName": _human_name,
        "markdown": _string,
        "string": _string,
    },
    "date": {
        "Period": _period,
        "Timing": _timing,
        "date": _date,
        "dateTime": _date,
        "instant": _date,
    },
    "number": {"Range": _number_range, "decimal": _number, "integer": _number},
    "quantity": {
        "Age": _quantity,
        "Duration": _quantity,
        "Money": _money,
        "Quantity": _quantity,
        "Range": _quantity_range,
        "SampledData": _sampled,
    },
    "uri": {"canonical": _canonical_uri, "uri": _uri, "url": _uri},
}
