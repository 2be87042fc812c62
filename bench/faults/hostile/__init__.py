"""Any request that the CapabilityStatement allows for, and many that nothing allows for.

``values`` makes values of searches, ``resources`` resources of any type, ``expressions`` FHIRPath,
``_filter`` and GraphQL. ``searches``, ``writes`` and ``operations`` make requests of these, by the
``grammar`` of a server; ``requests`` chooses among them, and ``campaign`` sends them and looks at
what comes back. Each request follows from the seed and its number alone.
"""
