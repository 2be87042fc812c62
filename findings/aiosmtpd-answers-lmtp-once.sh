#!/usr/bin/env bash
# aiosmtpd's LMTP server answers once for a mail to two recipients.
#
# Package    aiosmtpd 1.4.6
# Expected   after the final dot one reply for each recipient that was accepted, in their order: that
#            is what LMTP is for (RFC 2033 §4.2)
# Seen       one reply, whatever the number of recipients; the next line that comes is the answer to
#            the next command. A mail server that delivers by LMTP waits for the rest, and takes the
#            mail for undelivered to the other recipients
# So         limit the sender to one recipient a mail, or answer in a protocol of your own on top
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check aiosmtpd==1.4.6
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import asyncio

from aiosmtpd.lmtp import LMTP


class Keeps:
    async def handle_DATA(self, server, session, envelope):
        assert envelope.rcpt_tos == ["ana@clinic.example", "ben@clinic.example"]
        return "250 kept"


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: LMTP(Keeps(), loop=loop), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())

    async def reply():
        while True:
            line = (await reader.readline()).decode().strip()
            if line[3:4] != "-":
                return line

    async def say(text):
        writer.write(text.encode() + b"\r\n")
        return await reply()

    await reply()
    for command in (
        "LHLO mail.example",
        "MAIL FROM:<mia@family.example>",
        "RCPT TO:<ana@clinic.example>",
        "RCPT TO:<ben@clinic.example>",
    ):
        assert (await say(command)).startswith("250"), command
    await say("DATA")
    first = await say("Subject: refill\r\n\r\nThank you.\r\n.")
    second = await say("VRFY ana")
    print("after the dot:", first)
    print("then         :", second)
    assert first == "250 kept"
    assert second.startswith("252"), "this is the answer to VRFY, not the second recipient's"
    writer.close()
    server.close()


asyncio.run(main())
PYTHON
