"""Code systems, value sets and concept maps (FHIR R4 §4.7 to §4.10), as pure functions.

What a value set names is handed in as a ``Library``; ``compiled`` has what R4 itself publishes.
"""
