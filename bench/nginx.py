"""The server: a real nginx with TLS on one core, which counts what it is sent.

It answers at two ports, with ``Content-Length`` and chunked, and at a third, in the clear, says how many connections
and requests there were. Answers are made by nginx alone; below ``/delay/MS`` they come from ``upstream``, that late.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Final, NamedTuple

import click
import trustme

from .job import HOST, KEEPALIVE_REQUESTS, KEY
from .machine import pinned
from .processes import ROOT, free_ports, python, until_listening

ANSWER_BYTES: Final = 400
INSTALL: Final = "apt-get install nginx"

# New digits in each answer, as in life: what a client remembers of answers helps it no more than it would there.
_VARIABLES: Final = {"$message_id": 13, "$nonce": 12, "$msec": 14}
_ANSWER: Final = (
    '{"success":"100","total_price":0.075,"balance":$msec,"debug":"false","sms_type":"direct","messages":[{"id":'
    '"$message_id","sender":"smswire","recipient":"491716992343","text":"PADDING #$nonce","encoding":"gsm",'
    '"label":"campaign-7","parts":1,"udh":null,"is_binary":false,"price":0.075,"success":true,"error":null,'
    '"error_text":null}]}'
)
_TEXT: Final = "Your appointment is on Tuesday at half past two, please be on time and bring your card with you. "

#: What keeps to the folder nginx runs in: its scratch files, and the certificate.
WITHIN_FOLDER: Final = """\
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    ssl_certificate server.pem;
    ssl_certificate_key server.pem;
    ssl_protocols TLSv1.2 TLSv1.3;
"""
_CONFIGURATION: Final = """
daemon off;
worker_processes 1;
worker_rlimit_nofile 16384;
pid nginx.pid;
error_log error.log warn;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    default_type application/json;
    keepalive_requests {keepalive_requests};
    keepalive_timeout 600s;
{within_folder}    map $msec $message_id {{ "~^(\\d+)\\.(\\d+)$" $1$2; }}
    map $request_id $nonce {{ "~^(.{{12}})" $1; }}
    map "$request_method $content_type $http_x_api_key" $is_refused {{
        default 1;
        "~^POST application/x-www-form-urlencoded[^ ]* {key}$" 0;
    }}
    # As many fields as the gateway's answers have.
    add_header Cache-Control "no-store, no-cache, must-revalidate";
    add_header Strict-Transport-Security "max-age=31536000; includeSubDomains";
    add_header Vary Accept-Encoding;
    add_header X-Content-Type-Options nosniff;
    upstream late {{ server {host}:{late}; keepalive 2048; keepalive_requests {keepalive_requests}; }}
    server {{
        listen {host}:{length} ssl backlog=4096;
        location = /api/sms {{
            if ($is_refused) {{ return 415; }}
            return 200 '{answer}';
        }}
        location /delay/ {{
            proxy_pass http://late;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_read_timeout 120s;
        }}
    }}
    server {{
        listen {host}:{chunked} ssl backlog=4096;
        location = /api/sms {{
            if ($is_refused) {{ return 415; }}
            # A filter that may change the body knows no length: the answer goes out chunked.
            sub_filter_types application/json;
            sub_filter "what is in no answer" "";
            return 200 '{answer}';
        }}
    }}
    server {{ listen {host}:{status}; location = /status {{ stub_status; }} }}
}}
"""


class Counts(NamedTuple):
    """What arrived at the server since it started, our own questions left out."""

    connections: int
    requests: int


class Server:
    """nginx, running.

    Attributes:
        ports: by answer, ``length`` and ``chunked``.
        ca_file: who vouches for it.
        version: of nginx.
    """

    def __init__(self, ports: Mapping[str, int], ca_file: str, version: str, status: HTTPConnection) -> None:
        self.ports = ports
        self.ca_file = ca_file
        self.version = version
        self._status = status
        self._asked = 0

    def counts(self) -> Counts:
        """So far; only differences mean something, as the ports were tried when it started."""
        self._status.request("GET", "/status")
        accepted, requests = parse_status(self._status.getresponse().read())
        self._asked += 1
        return Counts(accepted, requests - self._asked)


def parse_status(body: bytes) -> tuple[int, int]:
    """Connections accepted and requests made, from what ``stub_status`` writes.

    >>> parse_status(b"Active connections: 1\\nserver accepts handled requests\\n 7 7 31\\nReading: 0 ...")
    (7, 31)
    """
    accepted, _, requests = map(int, body.split(b"\n")[2].split())
    return accepted, requests


def answer() -> str:
    """The answer as nginx is to write it: ``ANSWER_BYTES`` long when its variables are filled in."""
    length = len(_ANSWER) - len("PADDING") + sum(size - len(name) for name, size in _VARIABLES.items())
    return _ANSWER.replace("PADDING", _TEXT[: ANSWER_BYTES - length])


def configuration(ports: Mapping[str, int]) -> str:
    return _CONFIGURATION.format(
        answer=answer(),
        host=HOST,
        key=KEY,
        keepalive_requests=KEEPALIVE_REQUESTS,
        within_folder=WITHIN_FOLDER,
        **ports,
    )


def program() -> str:
    """Where nginx is.

    Raises:
        click.ClickException: nowhere; the message says what to do.
    """
    found = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if found is None:
        raise click.ClickException(f"The server here is nginx, which is not installed. To install it: {INSTALL}")
    return found


@contextmanager
def started(folder: Path, port: int) -> Iterator[None]:
    """nginx by the ``nginx.conf`` in a folder, which listens on that port, for as long as the context lasts.

    Raises:
        click.ClickException: there is no nginx, or it does not start; the message says what to do.
    """
    process = subprocess.Popen([program(), "-p", f"{folder}/", "-c", "nginx.conf", "-e", "error.log"])
    try:
        try:
            until_listening(port, process)
        except TimeoutError:
            log = folder / "error.log"
            reason = log.read_text(encoding="utf-8") if log.exists() else "it says nothing"
            raise click.ClickException(f"nginx does not start: {reason}") from None
        yield
    finally:
        process.terminate()
        process.wait()


@contextmanager
def running(core: int) -> Iterator[Server]:
    """nginx on that core, for as long as the context lasts.

    Raises:
        click.ClickException: there is no nginx, or it does not start; the message says what to do.
    """
    said = subprocess.run([program(), "-v"], capture_output=True, text=True, check=True).stderr
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="smswire-bench-")))
        ports = dict(zip(("length", "chunked", "status", "late"), free_ports(4), strict=True))
        ca_file = write_certificates(folder)
        (folder / "nginx.conf").write_text(configuration(ports), encoding="ascii")
        with pinned(core):
            upstream = subprocess.Popen(python("bench.upstream", str(ports["late"])), cwd=ROOT)
            stack.callback(upstream.wait)
            stack.callback(upstream.terminate)
            until_listening(ports["late"], upstream)
            stack.enter_context(started(folder, ports["status"]))
        status = stack.enter_context(closing(HTTPConnection(HOST, ports["status"])))
        yield Server(ports, ca_file, said.strip().rpartition("/")[2], status)


def write_certificates(folder: Path) -> str:
    """A P-256 leaf for the server (``server.pem``, with its key); gives the authority's file."""
    issuer = trustme.CA(key_type=trustme.KeyType.ECDSA)
    leaf = issuer.issue_cert(HOST, key_type=trustme.KeyType.ECDSA)
    leaf.private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    ca_file = str(folder / "authority.pem")
    issuer.cert_pem.write_to_path(ca_file)
    return ca_file
