"""Several organisations on one server: which there are, and what each has of the store.

It stands directly above the stores. It knows no FHIR and nobody who asks.
"""
