"""Whether a resource is what profiles say (FHIR R4 §5.1, §5.3.4, StructureDefinition).

A profile is compiled once to closures that look at what it says beyond R4 itself; what R4 says is
held against a resource by ``fhir.validation``, before. What a profile names (others, value sets,
code systems) is handed in as a ``Library``; nothing is fetched.
"""
