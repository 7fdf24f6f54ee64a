"""What several settings must be together."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from actors.demands import broken
from actors.mistakes import Mistakes
from actors.settings import Settings
from tests.test_settings import PRODUCTION


def told(environ: dict[str, str]) -> list[str]:
    try:
        assert broken(Settings.from_env(environ)) == []
    except Mistakes as mistakes:
        return mistakes.lines
    return []


@pytest.mark.parametrize("missing", ["GEMINI_API_KEY", "ALLOWED_ORIGINS", "BUDGET_USD_PER_DAY"])
def test_production_does_not_start_without(missing: str) -> None:
    lines = told({name: value for name, value in PRODUCTION.items() if name != missing})

    assert [line.partition(":")[0] for line in lines] == [missing]
    assert ": not set, expected" in lines[0]


def test_production_starts_with_all_of_them_and_development_with_none() -> None:
    assert told(PRODUCTION) == []
    assert told({}) == []


def test_production_keeps_its_metrics_from_the_public() -> None:
    lines = told({**PRODUCTION, "HOST": "0.0.0.0", "ADMIN_PORT": "8080"})

    assert lines == ["ADMIN_PORT: found that of callers, expected another in production"]


def test_an_upstream_elsewhere_wants_a_key() -> None:
    (line,) = told({"GOOGLE_GEMINI_BASE_URL": "https://localhost:8443"})

    assert line == "GOOGLE_GEMINI_BASE_URL: set without GEMINI_API_KEY; an emulator takes any word for a key"


def test_what_is_not_there_yet_is_refused() -> None:
    (line,) = told({"GOOGLE_GENAI_USE_VERTEXAI": "true"})

    assert line.startswith("GOOGLE_GENAI_USE_VERTEXAI: set, expected a Gemini API key instead")


# ── the door's certificate ──


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """Paths of a certificate, its key, that key under a password, and another key."""
    certificate, other = trustme.CA().issue_cert("localhost"), trustme.CA().issue_cert("localhost")
    key = load_pem_private_key(certificate.private_key_pem.bytes(), None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"open sesame"))
    contents = {
        "certificate": certificate.cert_chain_pems[0].bytes(),
        "key": certificate.private_key_pem.bytes(),
        "locked": locked,
        "other": other.private_key_pem.bytes(),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return {name: str(tmp_path / name) for name in contents}


def test_a_certificate_goes_with_its_key(files: dict[str, str]) -> None:
    assert told({"TLS_CERT_FILE": files["certificate"], "TLS_KEY_FILE": files["key"]}) == []


@pytest.mark.parametrize("name", ["TLS_CERT_FILE", "TLS_KEY_FILE"])
def test_one_without_the_other_is_told_once(name: str, files: dict[str, str]) -> None:
    assert told({name: files["key"]}) == ["TLS_CERT_FILE and TLS_KEY_FILE: one is set, expected both or none"]


@pytest.mark.parametrize(("certificate", "key"), [("certificate", "other"), ("key", "key"), ("certificate", "locked")])
def test_a_pair_that_does_not_open_is_told_and_nobody_is_asked_for_a_password(
    certificate: str, key: str, files: dict[str, str]
) -> None:
    lines = told({"TLS_CERT_FILE": files[certificate], "TLS_KEY_FILE": files[key]})

    assert lines == ["TLS_CERT_FILE and TLS_KEY_FILE: expected a certificate and its key as PEM, the key not encrypted"]
