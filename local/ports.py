"""Ports of the loopback interface."""

from __future__ import annotations

import socket

from local.errors import StartError

HOST = "127.0.0.1"
HIGHEST_PORT = 65_535


def choose_port(wanted: int, *, used_for: str, variable: str) -> int:
    """Give the wanted port if it is free; for 0, any free one.

    Raises:
        StartError: it is taken.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a port whose last connections are still closing is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, wanted))
        except OSError as error:
            raise StartError(
                f"Port {wanted} on {HOST}, for {used_for}, cannot be used ({error.strerror}); "
                f"choose another with {variable}=."
            ) from None
        return int(probe.getsockname()[1])
