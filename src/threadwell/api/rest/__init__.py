"""The interactions of FHIR R4 §3.1, one module each; `routes` finds the one a request asks for."""
