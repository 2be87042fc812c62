"""Takes mails from a mail server over LMTP (RFC 2033) or SMTP (RFC 5321).

``wire`` reads and writes, ``talk`` is one connection, ``listener`` takes connections.
"""
