"""Much at once: all that somebody may see as files, and files into a store.

It stands above ``access``, through which an export looks, and knows nothing of HTTP requests.
"""
