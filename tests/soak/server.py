"""nginx with the gateway's limits on a connection, which writes down every request that reached it.

A request's target ends with its serial number, the answer begins with it, and so does a line of the log. The log is
whole once nginx has ended.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.job import HOST
from bench.nginx import WITHIN_FOLDER, started, write_certificates
from bench.processes import free_ports

TARGETS: Final = ("/length/", "/chunked/")
"""Answered with ``Content-Length``, and chunked."""

_CONFIGURATION: Final = """
daemon off;
worker_processes 1;
pid nginx.pid;
error_log error.log crit;
events {{ worker_connections 1024; }}
http {{
    log_format target $request_uri;
    access_log {log} target buffer=64k flush=1s;
    default_type text/plain;
    keepalive_requests 500;
    keepalive_timeout 3s;
{within_folder}    server {{
        listen {host}:{port} ssl backlog=1024;
        location ~ ^{length}(\\d+)$ {{ return 200 "$1 {padding}"; }}
        location ~ ^{chunked}(\\d+)$ {{
            # A filter that may change the body knows no length: the answer goes out chunked.
            sub_filter_types text/plain;
            sub_filter "what is in no answer" "";
            return 200 "$1 {padding}";
        }}
    }}
}}
"""
_PADDING: Final = "Your appointment is on Tuesday at half past two. " * 6


class Server:
    """nginx, running or ended."""

    def __init__(self, port: int, ca_file: str, log: Path) -> None:
        self.port = port
        self.ca_file = ca_file
        self._log = log

    def targets(self) -> list[str]:
        """Of every request that reached it, once it has ended."""
        return self._log.read_text(encoding="ascii").split("\n")[:-1]


@contextmanager
def folder() -> Iterator[Path]:
    """Where the server keeps its files, its log included; gone with the context."""
    with tempfile.TemporaryDirectory(prefix="smswire-soak-") as name:
        yield Path(name)


@contextmanager
def running(place: Path) -> Iterator[Server]:
    """nginx, for as long as the context lasts; its log outlives it.

    Raises:
        click.ClickException: there is no nginx, or it does not start; the message says what to do.
    """
    (port,) = free_ports(1)
    server = Server(port, write_certificates(place), place / "targets.log")
    length, chunked = TARGETS
    (place / "nginx.conf").write_text(
        _CONFIGURATION.format(
            within_folder=WITHIN_FOLDER,
            host=HOST,
            port=port,
            log=server._log.name,
            length=length,
            chunked=chunked,
            padding=_PADDING,
        ),
        encoding="ascii",
    )
    with started(place, port):
        yield server
