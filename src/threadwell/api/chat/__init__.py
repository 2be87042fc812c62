"""The API of patient apps: REST and a WebSocket below ``/chat/ACCOUNT`` (docs/chat.md)."""
