"""Phone numbers as people, programs and networks write them become one form each.

That form is E.164 as the number is dialled today. Where a country has two forms for one number
(Mexico's ``+52 1``, Brazil's mobile numbers of eight digits, Benin's of eight), the newer one is
meant; Argentina's ``+54 9`` and ``+54`` are both in use, and ``Address.key`` takes them for one.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from urllib.parse import unquote

import phonenumbers

from threadwell.messages.address import Address, AddressKind
from threadwell.messages.spreadsheet import (
    is_damaged,
    is_difference,
    unguarded,
    whole_number,
)

_MARKS = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe0e\ufe0f\ufeff]")
#: What stands before a number to say how it is reached: the schemes of URIs (RFC 3966, RFC 5724,
#: RFC 3261), and those of messaging services.
_SCHEME = re.compile(
    r"(tel|sms|smsto|mms|mmsto|rcs|whatsapp|callto|phone|fax|sips?):(?://)?", re.IGNORECASE
)
#: An MMS address names its kind (OMA MMS Encapsulation §8): ``+1207…/TYPE=PLMN``.
_TYPED = re.compile(r"/TYPE=PLMN(?:@[^\s@]{1,255})?\Z", re.IGNORECASE)
#: WhatsApp's own name for the account of a number, with or without that of a device.
_ACCOUNT = re.compile(r"(\d{7,15})(?:[:.]\d{1,4})?@(?:s\.whatsapp\.net|c\.us)")
#: What people write beside a number to say which of theirs it is.
_WHICH = re.compile(
    r"\s\([^\W\d_][^\d()+]{0,30}\)\Z"
    r"|\A(?:tel|telephone|phone|cell|mobile|mob|home|work|office|handy|telefon|telefono"
    r"|teléfono|móvil|celular|casa|privat|mobil|maison|portable)\b\.?\s?:?\s?(?=[(+\d])",
    re.IGNORECASE,
)
_PARAMETER = re.compile(r"[a-z][a-z0-9-]{0,40}(?:=[^;\s]{0,200})?", re.IGNORECASE)
_EXTENSION = re.compile(
    r"(?:extension|ext|extn|xtn|durchwahl|poste|anexo|ramal|interno|int|доб|x|#)"
    r"\.?\s?:?\s?\d{1,7}\Z|,{1,3}\d{1,5}\Z",
    re.IGNORECASE,
)
_DIALLED = re.compile(r"\(?\+?[\d\s().\-/_~\u00b7\u2010-\u2015\u2212]+")

_LONGEST = 512
#: Numbers of at most so many digits, written without ``+``, are short codes everywhere.
_SHORT_CODE_DIGITS = 6
_FEWEST_DIGITS = 3
_MOST_DIGITS = 15
#: The longest way to dial abroad has so many digits before the country code.
_MOST_DIALLED = _MOST_DIGITS + 5
#: A number without ``+`` of at least so many digits can be one with its country code.
_FEWEST_ABROAD = 11

#: Mexico: before a mobile number stood 1 from abroad, and 01, 044 or 045 at home, until 2019.
_MEXICAN = re.compile(r"\+52(?:1|01|044|045)(\d{10})")
#: Brazil: mobile numbers, which begin with 6 to 9, got a 9 before them until 2016.
_BRAZILIAN = re.compile(r"\+55([1-9]\d)([6-9]\d{7})")
#: Benin: all numbers got 01 before them in 2024.
_BENINESE = re.compile(r"\+229(\d{8})")


@lru_cache(maxsize=65_536)
def parse_phone(text: str, country: str) -> Address | None:
    """The phone number that ``text`` is, or ``None`` if it is something else.

    ``country`` (ISO 3166-1 alpha-2) is where numbers without a country code belong, and from where
    foreign ones are dialled. The value is E.164 wherever the digits can be a number of their
    country; a short code, or a number that lacks its area code, stays the digits it is. Extensions
    are dropped: they reach the same line. Takes what stands in URIs (``tel:``, ``sip:``), in
    MMS addresses and behind the name of a service (``whatsapp:+1…``), and what a spreadsheet made
    of a number if no digit was lost.
    """
    if len(text) > _LONGEST:
        return None
    written = _bare(text)
    if not _DIALLED.fullmatch(written):
        return None
    digits = "".join([str(int(c)) for c in written if c.isdigit()])
    if not _FEWEST_DIGITS <= len(digits) <= _MOST_DIALLED:
        return None
    value = _value(digits, "+" in written, country)
    return Address(AddressKind.PHONE, value) if value else None


# An import asks for every address again with each commit that rests on it.
@lru_cache(maxsize=4096)
def spellings(value: str, country: str) -> frozenset[str]:
    """How ``value``, which ``parse_phone`` made, may be written elsewhere, as digits.

    With and without its country code, as it is dialled at home and from ``country``, and in the
    other form of its numbering plan. Each begins with ``+`` or is digits alone.
    """
    out = {value}
    for form in _forms(value):
        out |= {form, form[1:], f"00{form[1:]}"} if form.startswith("+") else {form}
        try:
            number = phonenumbers.parse(form)
        except phonenumbers.NumberParseException:
            continue
        out.add(phonenumbers.national_significant_number(number))
        national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
        abroad = phonenumbers.format_out_of_country_calling_number(number, country)
        out |= {"".join(filter(str.isdigit, one)) for one in (national, abroad)}
    return frozenset(out - {""})


def _bare(text: str) -> str:
    """``text`` without all that is not the number: marks, scheme, parameters, extension."""
    written = text if text.isascii() else unicodedata.normalize("NFKC", text)
    written = unguarded(_MARKS.sub("", written))
    if is_damaged(written) or is_difference(written):
        return ""
    if number := whole_number(written):
        return number
    if account := _ACCOUNT.fullmatch(written):
        return f"+{account[1]}"
    context = ""
    if scheme := _SCHEME.match(written):
        written = unquote(written[scheme.end() :]).strip().partition("?")[0]
        if scheme[1].lower().startswith("sip"):
            user, at, host = written.partition("@")
            written = user.partition(":")[0] + (f";{host.partition(';')[2]}" if at else "")
    written = _WHICH.sub("", _TYPED.sub("", written))
    written, *parameters = written.split(";")
    for parameter in filter(None, map(str.strip, parameters)):
        if not _PARAMETER.fullmatch(parameter):
            return ""
        name, _, value = parameter.partition("=")
        if name.lower() == "phone-context" and value.startswith("+"):
            context = value
    written = written.strip()
    if extension := _EXTENSION.search(written):
        written = written[: extension.start()].strip()
    return written if written.startswith("+") or not context else context + written


def _value(digits: str, international: bool, country: str) -> str:
    if international:
        # Some write the way to dial abroad behind the plus that stands for it.
        dialled = "+" + (digits.lstrip("0") if digits.startswith("00") else digits)
        return "" if len(digits) > _MOST_DIGITS + 2 else _today(_e164(dialled, None) or dialled)
    if len(digits) <= _SHORT_CODE_DIGITS:
        return digits
    here = _from_here(digits, country)
    if not here and digits.startswith("00"):
        return _value(digits[2:], True, country)
    if not here and len(digits) >= _FEWEST_ABROAD and not digits.startswith("0"):
        # No number of this country: the plus was lost, as a spreadsheet takes it for a sign.
        here = _e164(_today("+" + digits), None)
    if here:
        return _today(here)
    return digits if len(digits) <= _MOST_DIGITS + 2 else ""


def _from_here(digits: str, country: str) -> str:
    """What ``digits`` reach where they are dialled in ``country``."""
    if country == "MX" and (old := _MEXICAN.fullmatch("+52" + digits)):
        digits = old[1]
    try:
        number = phonenumbers.parse(digits, country, keep_raw_input=True)
    except phonenumbers.NumberParseException:
        return ""
    abroad = number.country_code_source == phonenumbers.CountryCodeSource.FROM_NUMBER_WITH_IDD
    if digits.startswith("00") and not abroad:
        return ""
    return _possible(number)


def _e164(dialled: str, country: str | None) -> str:
    try:
        return _possible(phonenumbers.parse(dialled, country))
    except phonenumbers.NumberParseException:
        return ""


def _possible(number: phonenumbers.PhoneNumber) -> str:
    # "Possible" and not "valid": numbering plans grow faster than any table of them.
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason != phonenumbers.ValidationResult.IS_POSSIBLE:
        return ""
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _today(value: str) -> str:
    """The form that the numbering plan of its country has today."""
    if value.startswith("+52") and (old := _MEXICAN.fullmatch(value)):
        return f"+52{old[1]}"
    if value.startswith("+55") and (old := _BRAZILIAN.fullmatch(value)):
        return f"+55{old[1]}9{old[2]}"
    if value.startswith("+229") and (old := _BENINESE.fullmatch(value)):
        return f"+22901{old[1]}"
    return value


def _forms(value: str) -> list[str]:
    """Both forms of a number whose plan has two."""
    if value.startswith("+549"):
        return [value, f"+54{value[4:]}"]
    if value.startswith("+54"):
        return [value, f"+549{value[3:]}"]
    if value.startswith("+52") and len(value) == len("+52") + 10:
        return [value, f"+521{value[3:]}"]
    if value.startswith("+55") and len(value) == len("+55") + 11 and value[5] == "9":
        return [value, value[:5] + value[6:]]
    if value.startswith("+22901"):
        return [value, f"+229{value[6:]}"]
    return [value]
