"""Records how real servers answer: ``python -m tests.wire.record`` writes the files in ``recorded/`` anew.

nginx, Apache and HAProxy (the Debian packages ``nginx apache2 haproxy``) run on loopback, each in front of a small
server that answers with a length or in chunks, and each with what it answers by itself. Every connection is used twice,
and both answers are kept: the first may say something else about the connection than the second.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import h11

RECORDED = Path(__file__).parent / "recorded"
BODY = b'{"success":"100","total_price":0.075,"balance":593.994,"debug":"false","messages":[{"id":"77","parts":1}]}'

NGINX = """
daemon off; pid {folder}/nginx.pid; error_log stderr; worker_processes 1;
events {{ }}
http {{
  access_log off; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://127.0.0.1:{backend}; proxy_http_version 1.1; }}
    location /own {{ default_type application/json; return 200 '{body}'; }}
    location /own-chunked {{
      root {folder}; default_type application/json; sub_filter_types *; sub_filter 'x' 'y';
    }}
  }}
}}
"""
APACHE = """
ServerRoot {folder}
ServerName localhost
PidFile {folder}/apache.pid
ErrorLog /dev/stderr
Listen 127.0.0.1:{port}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule mime_module {modules}/mod_mime.so
LoadModule proxy_module {modules}/mod_proxy.so
LoadModule proxy_http_module {modules}/mod_proxy_http.so
TypesConfig /dev/null
AddType application/json .json
DocumentRoot {folder}
ProxyPass /own.json !
ProxyPass / http://127.0.0.1:{backend}/
"""
HAPROXY = """
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 5s
frontend front
  bind 127.0.0.1:{port}
  http-request return status 200 content-type application/json string '{body}' if {{ path /own }}
  default_backend back
backend back
  server only 127.0.0.1:{backend}
"""
SERVERS = {
    "nginx": ("nginx", NGINX, ["-c"], ["/sized", "/chunked", "/own", "/own-chunked"]),
    "apache": ("apache2", APACHE, ["-DFOREGROUND", "-f"], ["/sized", "/chunked", "/own.json"]),
    "haproxy": ("haproxy", HAPROXY, ["-db", "-f"], ["/sized", "/chunked", "/own"]),
}


def main() -> None:
    shutil.rmtree(RECORDED, ignore_errors=True)
    RECORDED.mkdir()
    with backend() as behind:
        for name, (program, template, arguments, targets) in SERVERS.items():
            command = shutil.which(program) or f"/usr/sbin/{program}"
            with tempfile.TemporaryDirectory() as made:
                folder = Path(made)
                folder.chmod(0o755)
                for file in ("own.json", "own-chunked"):
                    (folder / file).write_bytes(BODY)
                port = free_port()
                settings = {"folder": made, "port": port, "backend": behind, "body": BODY.decode()}
                file = folder / "settings"
                file.write_text(template.format(modules="/usr/lib/apache2/modules", **settings), encoding="ascii")
                with subprocess.Popen([command, *arguments, str(file)]) as server:
                    try:
                        record(name, port, targets)
                    finally:
                        server.terminate()


def record(name: str, port: int, targets: list[str]) -> None:
    for target in targets:
        with contextlib.closing(connect(port)) as connection:
            for number in (1, 2):
                data = answer_to(connection, target)
                (RECORDED / f"{name}{target.replace('/', '-')}-{number}.http").write_bytes(data)
                print(name, target, number, len(data))


def answer_to(connection: socket.socket, target: str) -> bytes:
    """The bytes of the answer, which h11 reads to its end."""
    method = "GET" if target.startswith("/own") else "POST"
    request = f"{method} {target} HTTP/1.1\r\nHost: h\r\nAccept-Encoding: identity\r\nContent-Length: 2\r\n\r\na="
    connection.sendall(request.encode())
    reader = h11.Connection(h11.CLIENT)
    reader.send(h11.Request(method=method, target="/", headers=[("Host", "h")]))
    reader.send(h11.EndOfMessage())
    data = b""
    while True:
        event = reader.next_event()
        if event is h11.NEED_DATA:
            piece = connection.recv(65_536)
            reader.receive_data(piece)
            data += piece
        elif isinstance(event, h11.EndOfMessage):
            return data


def connect(port: int) -> socket.socket:
    for _ in range(100):
        with contextlib.suppress(ConnectionRefusedError):
            return socket.create_connection(("127.0.0.1", port), timeout=10)
        time.sleep(0.1)
    raise RuntimeError("the server does not listen")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextlib.contextmanager
def backend() -> Iterator[int]:
    """A server that answers ``/chunked`` in chunks, everything else with a length."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, args=(listening,), daemon=True).start()
        yield listening.getsockname()[1]


def serve(listening: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection, _ = listening.accept()
            threading.Thread(target=answer, args=(connection,), daemon=True).start()


def answer(connection: socket.socket) -> None:
    with connection, contextlib.suppress(OSError):
        data = b""
        while piece := connection.recv(65_536):
            data += piece
            if b"\r\n\r\na=" not in data:
                continue
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            if data.split()[1] == b"/chunked":
                connection.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(BODY), BODY))
                connection.sendall(b"0\r\n\r\n")
            else:
                connection.sendall(head + b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY))
            data = b""


if __name__ == "__main__":
    main()
