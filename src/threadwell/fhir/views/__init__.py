"""SQL on FHIR 2: a ``ViewDefinition`` says which rows a resource makes.

``definition.compiled`` reads one; ``View.rows`` are the rows of a resource. Nothing here knows of
stores.
"""
