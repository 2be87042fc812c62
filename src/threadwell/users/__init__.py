"""People's accounts: who they are, how they prove it, and in which browsers they are signed in.

All of it is private values of the store, never FHIR resources; a person's account names the
Practitioner, Patient or RelatedPerson that they act as. It knows nothing of HTTP.
"""
