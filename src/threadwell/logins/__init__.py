"""Logins: who is let in by which client, for how long, and with what; below the API and the pages.

OAuth's endpoints (``api.oauth``) begin them and hand out their tokens; whoever knows people
(passwords, second factors, other providers) says here who somebody is.
"""
