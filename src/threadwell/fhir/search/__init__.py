"""Search (FHIR R4 §3.1.1): parse a query; extract the values that a resource is found by."""
