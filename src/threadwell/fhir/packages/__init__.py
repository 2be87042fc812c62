"""FHIR packages: implementation guides as they are published (FHIR NPM Package Specification).

A package is read from its bytes; nothing is unpacked into a folder, and nothing is fetched.
"""
