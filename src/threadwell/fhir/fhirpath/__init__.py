"""FHIRPath, as far as R4 writes its search parameters and its invariants in it.

``parse`` makes a tree of an expression. What the tree means is told once for each use: where a
search finds its values (``fhir/search/steps.py``), and whether an invariant holds (``truth``).
"""
