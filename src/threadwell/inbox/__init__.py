"""The web pages: sessions, their threads and the quarantine, behind a sign-in link.

Pages read through the ``Store`` contract and ``intake``, which alone writes FHIR data where a
person says whom messages are about. Their URLs hold ids only, nothing of a patient.
"""
