"""What Medplum's clients ask to sign people in: passwords, codes, memberships, accounts."""
