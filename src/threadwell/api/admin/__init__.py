"""What administrators read and change over HTTP as if it were FHIR, as Medplum's clients do.

Clients, access policies, memberships, accounts and the project itself. They are private values of
the store: no search of resources, no export and no subscription finds them.
"""
