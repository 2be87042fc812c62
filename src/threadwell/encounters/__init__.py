"""A session becomes FHIR resources: pure functions, values in, values out.

Knows messages, threads, sessions and FHIR; never a store, a channel or a clock.
"""
