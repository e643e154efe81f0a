"""What nginx is told, as far as that can be seen without one."""

from __future__ import annotations

import json
import re
import ssl
from pathlib import Path

from bench.job import HOST, KEEPALIVE_REQUESTS
from bench.nginx import ANSWER_BYTES, answer, configuration, write_certificates
from smswire.errors import Sent
from smswire.gateway.answer import read_sms

VALUES = {"$message_id": "1795619702200", "$nonce": "d52ef449c621", "$msec": "1795619702.200"}


def test_the_answer_has_its_size_and_is_one_of_the_gateways() -> None:
    """With its variables as nginx fills them in: it is JSON, and says that one SMS was sent."""
    text = re.sub(r"\$\w+", lambda match: VALUES[match[0]], answer())
    assert len(text) == ANSWER_BYTES
    assert json.loads(text)["success"] == "100"
    sms = read_sms(200, text.encode())
    assert (sms.code, sms.sent, len(sms.messages)) == (100, Sent.YES, 1)


def test_the_configuration_names_every_port_and_nests_its_blocks() -> None:
    """Those for answers listen with TLS."""
    ports = {"length": 40001, "chunked": 40002, "status": 40003, "late": 40004}
    text = configuration(ports)
    assert all(f"{HOST}:{port}" in text for port in ports.values())
    assert re.findall(r"listen \S+:(\d+) ssl", text) == ["40001", "40002"]
    assert f"keepalive_requests {KEEPALIVE_REQUESTS};" in text
    bare = re.sub(r"#.*|'[^']*'|\"[^\"]*\"", "", text)
    depth = 0
    for brace in re.findall(r"[{}]", bare):
        depth += 1 if brace == "{" else -1
        assert depth >= 0
    assert depth == 0


def test_the_certificate_is_good_for_the_address_under_its_authority(tmp_path: Path) -> None:
    """A handshake over memory buffers: the client checks the name."""
    ca_file = write_certificates(tmp_path)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(tmp_path / "server.pem")
    one, other = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context(cafile=ca_file).wrap_bio(one, other, server_hostname=HOST)
    server = serving.wrap_bio(other, one, server_side=True)
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    assert client.version() == "TLSv1.3"
    assert client.getpeercert()["subjectAltName"] == (("IP Address", HOST),)
