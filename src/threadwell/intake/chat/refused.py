"""Why an app is not given what it asks for."""

from __future__ import annotations


class ChatRefused(Exception):
    """``code`` is for programs, ``text`` for people, without any content, ``where`` names the part
    of the request that it is about.
    """

    def __init__(self, code: str, text: str, where: str = "") -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.where = where
