"""FHIR R4 as data and pure functions. No I/O, and nothing of messages, stores or HTTP."""
