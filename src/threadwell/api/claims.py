"""What a token says of whoever has it, once its signature is known to be ours."""

from __future__ import annotations

from typing import NamedTuple


class Claims(NamedTuple):
    """By which client, by which login, until when (seconds since 1970, 0 for a secret itself).

    ``generation`` is that of the secret by which its client logged in. ``scopes`` are the granted
    ones, and ``patient`` the reference of whom an app is opened on. A ``person`` has a login that
    the store keeps; a client's own is not kept. ``project`` tells the server whose it is, before it
    is looked at.
    """

    client_id: str
    login_id: str = ""
    expires: int = 0
    generation: int = 0
    scopes: tuple[str, ...] = ()
    patient: str = ""
    person: bool = False
    project: str = ""

    def written(self) -> dict[str, object]:
        """As members of a JWT (RFC 9068's names where it has one)."""
        out: dict[str, object] = {"client_id": self.client_id, "generation": self.generation}
        if self.login_id:
            # Without a login_id @medplum/core never asks for the profile.
            out["login_id"] = self.login_id
        out["scope"] = " ".join(self.scopes)
        if self.patient:
            out["patient"] = self.patient.partition("/")[2]
        if self.person:
            out["person"] = True
        if self.project:
            out["project"] = self.project
        return out


def read_claims(told: dict[str, object]) -> Claims | None:
    """What members of a JWT of ours say; ``None`` for what is none of an access token's."""
    client_id, login_id = told.get("client_id"), told.get("login_id", "")
    scope, patient = told.get("scope", ""), told.get("patient", "")
    expires, generation = told.get("exp"), told.get("generation", 0)
    project = told.get("project", "")
    if not (isinstance(client_id, str) and isinstance(login_id, str) and isinstance(scope, str)):
        return None
    if not (isinstance(expires, int) and isinstance(generation, int) and isinstance(patient, str)):
        return None
    return Claims(
        client_id,
        login_id,
        expires,
        generation,
        tuple(scope.split()),
        f"Patient/{patient}" if patient else "",
        told.get("person") is True,
        project if isinstance(project, str) else "",
    )
