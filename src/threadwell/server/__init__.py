"""The processes that serve: sockets, workers, who watches over them, and what they log.

Knows how to run the ASGI application that ``app`` puts together, and nothing of what it answers.
"""

from threadwell.server.serving import Ready, Serving, serve

__all__ = ["Ready", "Serving", "serve"]
