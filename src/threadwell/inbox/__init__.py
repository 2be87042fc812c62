"""The web pages: sessions, their threads and the quarantine, read-only, behind a sign-in link.

Pages read through the ``Store`` contract and ``intake`` and never write FHIR data. Their URLs hold
ids only, nothing of a patient.
"""
