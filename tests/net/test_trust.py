"""Whom a client trusts, and what it says of a server it does not."""

from __future__ import annotations

import shutil
import ssl
from pathlib import Path

import pytest

from smswire import Client, Sent, errors
from smswire.net import trust as trusting
from smswire.net.pacers import Pacer


@pytest.mark.parametrize("trust", [None, "system"])
def test_public_authorities_do_not_vouch_for_the_sandbox(make_sandbox, make_client, trust):
    """CertificateError, NO, and one connection only: another attempt would fail in the same way."""
    sandbox = make_sandbox()
    with pytest.raises(errors.CertificateError) as raised:
        make_client(sandbox, trust=trust).request("POST", "/api/sms", body=b"a")
    assert raised.value.sent is Sent.NO
    assert str(raised.value).endswith(": check the host, or whom to trust (trust)")
    assert (raised.value.attempts, len(sandbox.accepts()), sandbox.calls()) == (1, 1, [])


def test_a_certificate_for_another_name_is_refused(make_sandbox, make_client):
    """The authority is trusted, the name is not in the certificate."""
    sandbox = make_sandbox()
    client = make_client(
        f"https://other.test:{sandbox.port}", trust=sandbox.ca_file, resolve=lambda host: ["127.0.0.1"]
    )
    with pytest.raises(errors.CertificateError, match="Hostname mismatch") as raised:
        client.request("POST", "/api/sms", body=b"a")
    assert (raised.value.sent, len(sandbox.accepts())) == (Sent.NO, 1)


def test_a_path_a_folder_and_a_context_are_trust(serve, make_client, authority, tmp_path):
    """Each of them makes the same server trusted; the context is used as it is."""
    context = ssl.create_default_context(cafile=authority.ca_file)
    server = serve(tls=True)
    for trust in (authority.ca_file, Path(authority.ca_file), context):
        assert make_client(server, trust=trust).request("GET", "/").status == 200
    assert trusting.load(context) is context
    (tmp_path / "0123abcd.0").touch()
    assert isinstance(trusting.load(tmp_path), ssl.SSLContext)


def test_a_folder_without_hashed_certificates_shows_at_construction(tmp_path, authority):
    """OpenSSL finds nothing in it, and would say so at the first handshake only."""
    shutil.copy(authority.ca_file, tmp_path / "ca.pem")
    with pytest.raises(errors.ConfigurationError, match="holds no hashed certificate"):
        Client("https://127.0.0.1:1", trust=tmp_path, pacer=Pacer())


@pytest.mark.parametrize(
    "content", [None, b"", b"no certificate", b"\x00\xff"], ids=["missing", "empty", "text", "bytes"]
)
def test_a_trust_file_that_cannot_be_used_shows_at_construction(tmp_path, content):
    """ConfigurationError before anything is sent, naming the file."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(errors.ConfigurationError, match=r"ca\.pem"):
        Client("https://127.0.0.1:1", trust=path, pacer=Pacer())


def test_one_setting_has_one_context(authority):
    """It is shared as long as somebody uses it; a context is expensive."""
    context = trusting.load(authority.ca_file)
    assert trusting.load(authority.ca_file) is trusting.load(Path(authority.ca_file)) is context
    assert trusting.load("system") is not context


def test_a_trust_file_that_vanished_is_told_with_the_call(make_client, tmp_path, monkeypatch):
    """certifi's list is loaded when it is first needed: the error says for which call, as every other does."""
    monkeypatch.setattr("certifi.where", lambda: str(tmp_path / "missing.pem"))
    with pytest.raises(errors.ConfigurationError) as raised:
        make_client("https://127.0.0.1:9", trust=None).request("GET", "/api/balance?a=b")
    error = raised.value
    assert (error.sent, error.host, error.call, error.attempts) == (Sent.NO, "127.0.0.1:9", "GET /api/balance", 0)
