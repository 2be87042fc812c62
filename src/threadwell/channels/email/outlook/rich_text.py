"""The text of a mail that Outlook keeps as compressed rich text only (MS-OXRTFCP)."""

from __future__ import annotations


def rich_text(content: bytes) -> str:
    """The words of a compressed RTF, without their looks; ``""`` where it cannot be read."""
    from compressed_rtf import decompress  # here, as few mails have nothing else
    from striprtf.striprtf import rtf_to_text

    try:
        plain = decompress(content).decode("latin-1")
        text = str(rtf_to_text(plain, errors="replace"))  # type: ignore[no-untyped-call]
    except (ValueError, LookupError, OverflowError):
        return ""
    # RTF writes a letter beyond U+FFFF as two halves, and so they come.
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return whole.strip("\0")
