"""Notes that tell what one copy of a message lacks; a more complete copy has none of them.

What a channel says of a file that is missing (``Attachment.note``) is such a note, too.
"""

from __future__ import annotations

#: The mail has no text.
NO_TEXT = "no text"
#: Its end is missing.
CUT_OFF = "multipart is cut off before its end"
#: The rest of its text was in a file.
CUT_TEXT = "its text is cut off: the rest of it is in a file that is not there"
#: Its words may have been deleted where it was kept.
NO_WORDS = "its words are not there any more where it was kept, or it never had any"
#: It may be off by some hours.
NO_ZONE = "its time was written without a zone, and taken for UTC"
#: How the note about a file begins; ``Attachment.note`` is the rest.
OF_A_FILE = "a file of it "
