"""A certificate authority made at start, and one server certificate signed by it.

    Authority() ──▶ .pem, for whoever shall trust the emulator
                └─▶ .context(names) ──▶ an SSL context for its server

google-genai dials TLS whatever the URL says, so the emulator must speak it. The authority's key never leaves
memory and signs once; the server's key touches the disk for as long as OpenSSL needs to read it, in a private
folder. Both certificates carry what Python 3.13's strict verification asks for (RFC 5280, section 4.2).
"""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import (
    AuthorityKeyIdentifier,
    BasicConstraints,
    Certificate,
    CertificateBuilder,
    DNSName,
    ExtendedKeyUsage,
    GeneralName,
    IPAddress,
    KeyUsage,
    Name,
    NameAttribute,
    SubjectAlternativeName,
    SubjectKeyIdentifier,
    random_serial_number,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFE = timedelta(days=365)
SKEW = timedelta(hours=1)
"""How far another machine's clock may be behind."""


class Authority:
    """Signs for one emulator."""

    def __init__(self) -> None:
        self._key = generate_private_key(SECP256R1())
        self._name = _named("Parley emulator CA")
        self._certificate = (
            self._begun(self._name, self._key)
            .add_extension(BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs=True), critical=True)
            .sign(self._key, SHA256())
        )

    @property
    def pem(self) -> bytes:
        """The authority's certificate."""
        return self._certificate.public_bytes(Encoding.PEM)

    def context(self, *names: str) -> ssl.SSLContext:
        """An SSL context for a server that is reached by these host names and addresses."""
        key = generate_private_key(SECP256R1())
        certificate = self._issue(key, names).public_bytes(Encoding.PEM)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with TemporaryDirectory(prefix="parley-") as folder:
            chain = Path(folder, "chain.pem")
            chain.write_bytes(certificate + _private(key))
            context.load_cert_chain(chain)
        return context

    def _issue(self, key: EllipticCurvePrivateKey, names: tuple[str, ...]) -> Certificate:
        return (
            self._begun(_named(names[0]), key)
            .add_extension(BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(SubjectAlternativeName([_general(name) for name in names]), critical=False)
            .sign(self._key, SHA256())
        )

    def _begun(self, subject: Name, key: EllipticCurvePrivateKey) -> CertificateBuilder:
        now = datetime.now(UTC)
        return (
            CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(random_serial_number())
            .not_valid_before(now - SKEW)
            .not_valid_after(now + LIFE)
            .add_extension(SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )


def _named(name: str) -> Name:
    return Name([NameAttribute(NameOID.COMMON_NAME, name)])


def _general(name: str) -> GeneralName:
    try:
        return IPAddress(ip_address(name))
    except ValueError:
        return DNSName(name)


def _usage(*, signs: bool) -> KeyUsage:
    return KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _private(key: EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
