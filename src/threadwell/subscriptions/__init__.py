"""Subscriptions: whom a change is told to, and in which words (FHIR R4 §2.46)."""
