"""GraphQL over what is stored (FHIR R4 graphql.html), as Medplum's clients ask by it.

``schema`` says what may be asked, ``document`` reads and checks what is asked, ``running`` answers
it: all of a level at once, so that a level costs as many reads of the store as it has fields that
lead to other resources. What is read goes through the caller's view (``fetching``).
"""
