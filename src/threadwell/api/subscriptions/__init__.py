"""The WebSocket by which clients hear of what their Subscriptions are about."""
