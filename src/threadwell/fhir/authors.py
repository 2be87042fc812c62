"""What is kept of who wrote a version: one reference, or two where somebody acted for another.

Then it is who asked, a space, and whom they acted for: ``ClientApplication/1 Practitioner/2``.
"""

from __future__ import annotations


def authored(by: str, whose: str) -> str:
    """What is kept where ``by`` wrote for ``whose``; either may be ``""``, for nobody else."""
    return f"{by} {whose}" if by and whose else by or whose


def writer(author: str) -> str:
    """Who asked for it."""
    return author.partition(" ")[0]


def acted_for(author: str) -> str:
    """Whom they acted for; ``""`` where that is nobody else."""
    return author.partition(" ")[2]


def whose(author: str) -> str:
    """Whose doing it is: of whoever was acted for, else of who wrote it."""
    return acted_for(author) or author
