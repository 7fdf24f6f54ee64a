"""A certificate authority that a strict client believes."""

from __future__ import annotations

import ssl

import pytest

from actors.live.emulator.certificate import Authority

NAMES = ("localhost", "127.0.0.1", "::1")


def handshake(server: ssl.SSLContext, ca: bytes, name: str) -> None:
    """A TLS handshake in memory, verified as Python 3.13 does by default. Raises `SSLCertVerificationError`."""
    client = ssl.create_default_context(cadata=ca.decode())
    client.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(down, up, server_hostname=name),
        server.wrap_bio(up, down, server_side=True),
    ]
    for end in ends * 3:
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue
    assert ends[0].version() == "TLSv1.3"


@pytest.mark.parametrize("name", NAMES)
def test_the_server_is_believed_under_each_of_its_names(name: str) -> None:
    authority = Authority()

    handshake(authority.context(*NAMES), authority.pem, name)


@pytest.mark.parametrize("name", ["example.com", "127.0.0.2"])
def test_the_server_is_not_believed_under_another_name(name: str) -> None:
    authority = Authority()

    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        handshake(authority.context(*NAMES), authority.pem, name)


def test_the_certificate_of_another_run_is_not_believed() -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(Authority().context(*NAMES), Authority().pem, "localhost")


def test_the_authority_is_told_without_its_key() -> None:
    pem = Authority().pem

    assert pem.count(b"BEGIN CERTIFICATE") == 1
    assert b"KEY" not in pem
