"""The API's own endpoints around FHIR, one module each; `table` finds the one at a path."""
