"""Work that has to be done without a request, by one process at a time (``docs/recipes/duty.md``).

It stands above ``intake``, whose functions it calls when their time has come, and knows nothing of
HTTP requests, pages or commands.
"""
