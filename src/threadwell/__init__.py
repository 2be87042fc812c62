"""Threadwell turns care messages into FHIR R4 encounters, and serves them."""

__version__ = "0.1.0"
