"""What ``make test`` runs: bring the tools that tests need, then run every test.

A tool that cannot be brought is named, and so are the tests that it leaves out; with ``CI`` set
any test left out is a failure, but for those of Citus, which no registry has (see
``tests/conftest.py``). Of all tests, a few that failed run once more, alone (``second_look.py``).
Arguments go to pytest, which then has the only word.
"""

from __future__ import annotations

import subprocess
import sys

import dovecot
import pgbouncer
import postfix
import postgres
import second_look
import toolbox
import zone_data


def main(arguments: list[str]) -> int:
    bring_tools()
    if arguments:
        command = [sys.executable, "-m", "pytest", *arguments]
        return subprocess.run(command, cwd=toolbox.ROOT, check=False).returncode
    # More than there are cores on a small machine: tests wait for servers, browsers and leases.
    return second_look.run(["-n", "4", "--dist", "worksteal"], toolbox.ROOT)


def bring_tools() -> None:
    """Node.js with the npm clients, Chromium, servers, zone data; tests say what is missing."""
    if toolbox.find_node() is None:
        toolbox.install_node()
    node = toolbox.find_node()
    if node and not toolbox.clients_ready():
        toolbox.install_clients(node)
    # Any will do, and that without windows is the quickest.
    quickest = toolbox.find_headless_shell() or toolbox.install_headless_shell()
    if not quickest and toolbox.find_chromium() is None:
        toolbox.install_chromium()
    if postgres.find_binaries() is None:
        postgres.install()
    if pgbouncer.find() is None:
        pgbouncer.install()
    if dovecot.find() is None:
        dovecot.install()
    if postfix.find() is None:
        postfix.install()
    if zone_data.find() is None:
        zone_data.install()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
