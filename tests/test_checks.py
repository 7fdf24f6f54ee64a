"""What the value of a setting must be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trustme
from pydantic import SecretStr, TypeAdapter, ValidationError

from actors import checks


def taken(kind: Any, value: str) -> Any:
    return TypeAdapter(kind).validate_python(value)


def complaint(kind: Any, value: str) -> str:
    with pytest.raises(ValidationError) as raised:
        taken(kind, value)
    return str(raised.value.errors()[0]["msg"]).removeprefix("Value error, ")


@pytest.mark.parametrize("kind", [checks.Patterns, checks.Addresses])
def test_a_list_is_split_at_its_commas(kind: Any) -> None:
    word = "https://a" if kind is checks.Patterns else "10.0.0.1"

    assert taken(kind, f" {word} ,,{word},") == (word, word)
    assert taken(kind, " , ") == ()


@pytest.mark.parametrize(
    ("said", "language"),
    [
        ("en-US", "en-US"),
        ("de", "de"),
        ("cmn-Hans-CN", "cmn-Hans-CN"),
        ("en_US:en", "en-US"),
        ("de_AT.UTF-8", "de-AT"),
        ("sr_RS@latin", "sr-RS"),
        ("C", "en-US"),
        ("C.UTF-8", "en-US"),
        ("POSIX", "en-US"),
    ],
)
def test_a_language_may_be_written_as_gettext_reads_it(said: str, language: str) -> None:
    assert taken(checks.Language, said) == language


@pytest.mark.parametrize("said", ["english please", "e", "en-", "en US", "en-US-", "ünglish"])
def test_what_is_no_language_is_refused(said: str) -> None:
    complaint(checks.Language, said)


def test_a_key_is_of_characters_that_a_header_can_carry() -> None:
    assert taken(checks.Key, "AIza-_~!") == SecretStr("AIza-_~!")
    for wrong in ("two words", "tab\t", "k\x00", "clé", "line\n"):
        assert wrong not in complaint(checks.Key, wrong)


@pytest.mark.parametrize("good", ["https://key@sentry.example/1", "http://key:secret@localhost:8000/path/7"])
def test_a_dsn_is_one_that_the_sdk_takes(good: str) -> None:
    assert taken(checks.DSN, good) == SecretStr(good)


@pytest.mark.parametrize("wrong", ["sentry", "https://sentry.example/1", "https://key@sentry.example/", "ftp://k@h/1"])
def test_a_wrong_dsn_is_not_repeated(wrong: str) -> None:
    said = complaint(checks.DSN, wrong)

    assert said == "found a value that cannot be used, expected something like https://key@host/1"


@pytest.mark.parametrize("good", ["https://localhost:8443", "http://10.0.0.1/prefix", "wss://[::1]:1"])
def test_an_upstream_has_a_scheme_and_a_host(good: str) -> None:
    assert taken(checks.Upstream, good) == good


@pytest.mark.parametrize("wrong", ["localhost:8443", "https://", "https:///path", "ftp://host", "//host"])
def test_an_upstream_without_them_is_refused(wrong: str) -> None:
    assert complaint(checks.Upstream, wrong) == f"found {wrong!r}, expected something like https://localhost:8443"


def test_a_file_must_be_there_and_be_one(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\xff")

    assert taken(checks.Readable, str(tmp_path / "a")) == tmp_path / "a"
    assert complaint(checks.Readable, str(tmp_path / "b")).endswith(
        "expected a file to read (No such file or directory)"
    )
    assert complaint(checks.Readable, str(tmp_path)).endswith("expected a file to read (Is a directory)")


def test_an_authority_is_certificates(tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    (tmp_path / "text").write_text("none")

    assert taken(checks.Certificates, str(tmp_path / "ca.pem")) == tmp_path / "ca.pem"
    assert complaint(checks.Certificates, str(tmp_path / "text")).endswith("expected a file of certificates as PEM")
    assert "expected a file to read" in complaint(checks.Certificates, str(tmp_path / "gone"))


def test_a_persona_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text(" ")

    assert "found 0 characters" in complaint(checks.Persona, str(tmp_path / "empty"))
