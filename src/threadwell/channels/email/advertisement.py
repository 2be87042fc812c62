"""The line that a phone or a mail program appends by itself: "Sent from my phone"."""

from __future__ import annotations

import re

_LONGEST = 60

_LINK = re.compile(r"\s?[<(\[]https?://[^>)\]]*+[>)\]]")
_DEVICE = (
    r"i\s?(?:phone|pad|pod)|android|blackberry|samsung|galaxy|huawei|xiaomi|nokia|motorola|pixel"
    r"|windows|outlook|yahoo|gmail|proton|mobile|phone|smartphone|handy|tablet|verizon|at&t|t-mobile"
    r"|mailbox|sparrow|gmx|web\.de|telefon|téléphone|móvil|celular|mac|ios"
)
_SENT = (
    r"sent (?:from|via|with|using)|sent on the go from|gesendet (?:von|vom|mit|über)"
    r"|envoyé (?:de|depuis|du|à partir de)|enviado (?:desde|do|da|de|a partir d[eo]|con)"
    r"|inviato (?:da|dal|con)|verzonden (?:vanaf|met|via|van)|verstuurd (?:vanaf|met|via|van)"
    r"|skickat från|sendt fra|lähetetty|wysłan[oe] z|отправлено (?:с|из)"
)
#: What may follow the name of a device: its model, and no sentence.
_MODEL = (
    r"(?:[’']a)?(?: (?:(?-i:[A-Z0-9])[\w+.-]*|smartphone|phone|device|tablet|app|for|für|pour|para"
    r"|on|\w{0,3}puhelimesta|laitteesta)){0,6}\.?"
)
_SENT_FROM = re.compile(
    rf"(?:(?:{_SENT})\b.{{0,25}}\b(?:{_DEVICE})\b{_MODEL}"
    rf"|von meine[mr] .{{0,25}}(?:{_DEVICE}).{{0,12}} gesendet\.?"
    rf"|(?:get|holen sie sich|obtenez|obtener|scarica|baixe o|download) outlook"
    rf" (?:for|für|pour|para|per|voor) .{{0,20}}"
    rf"|(?:{_DEVICE})(?:から送信|傳送|发送)|从我的.{{0,12}}发送)",
    re.IGNORECASE,
)


def is_advertisement(line: str) -> bool:
    """Whether the line says what the mail was sent with, and nothing that a person would."""
    said = _LINK.sub("", line[: 10 * _LONGEST]).strip().strip("*_<>[]()")
    return len(said) <= _LONGEST and bool(_SENT_FROM.fullmatch(said))
