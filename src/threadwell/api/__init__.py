"""FHIR R4 over HTTP, with the OAuth 2 endpoints that its clients log in at.

Knows nothing of messages, sessions and imports: resources come in and go out, one module an
interaction.
"""
