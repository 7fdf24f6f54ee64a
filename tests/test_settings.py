"""The environment is read once, and every mistake in it is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from actors.arguments import flag
from actors.door.origins import Origins
from actors.mistakes import Mistakes
from actors.persona import INSTRUCTION
from actors.settings import ALSO, Settings, markdown, name_of, names

PAGE = Path(__file__).resolve().parents[1] / "docs" / "settings.md"
SECRET = "AIzaSy-hush-hush-hush-hush-hush-hush-hu"
PRODUCTION = {
    "ENVIRONMENT": "production",
    "GEMINI_API_KEY": SECRET,
    "ALLOWED_ORIGINS": "https://shop.example",
    "BUDGET_USD_PER_DAY": "unlimited",
}


def mistakes(environ: dict[str, str], **flags: str) -> list[str]:
    with pytest.raises(Mistakes) as raised:
        Settings.from_env(environ, flags)
    return raised.value.lines


# ── where a value comes from ──


def test_nothing_set_is_all_one_needs_in_development() -> None:
    settings = Settings.from_env({})

    assert (settings.host, settings.port, settings.admin) == ("127.0.0.1", 8080, None)
    assert settings.gemini_api_key is None
    assert settings.origins == Origins.local()
    assert settings.proxies.networks == ()
    assert settings.instruction() == INSTRUCTION
    assert settings.tls() is None


def test_a_flag_overrides_the_environment() -> None:
    assert Settings.from_env({"PORT": "1", "VOICE": "Kore"}, {"port": "2"}).port == 2
    assert Settings.from_env({"PORT": "1", "VOICE": "Kore"}, {"port": "2"}).voice == "Kore"


@pytest.mark.parametrize("nothing", ["", " ", "\t\n"])
def test_what_is_set_to_nothing_is_not_set(nothing: str) -> None:
    assert Settings.from_env({"PORT": nothing, "GEMINI_API_KEY": nothing}) == Settings.from_env({})
    assert Settings.from_env({"GEMINI_API_KEY": SECRET}, {"gemini_api_key": nothing}).gemini_api_key is None


def test_blanks_around_a_value_are_not_part_of_it() -> None:
    settings = Settings.from_env({"GEMINI_API_KEY": f" {SECRET}\n", "PORT": " 80 "})

    assert settings.gemini_api_key == SecretStr(SECRET)
    assert settings.port == 80


@pytest.mark.parametrize(("field", "name"), [(field, name) for field, others in ALSO.items() for name in others])
def test_an_old_name_works_where_the_new_one_is_not_set(field: str, name: str) -> None:
    values = {"port": ("81", "82"), "allowed_origins": ("https://a", "https://b"), "gemini_api_key": ("a", "b")}
    old, new = values[field]

    assert Settings.from_env({name: old}) == Settings.from_env({name_of(field): old})
    assert Settings.from_env({name: old, name_of(field): new}) == Settings.from_env({name_of(field): new})


def test_an_old_name_is_the_one_that_is_told_of() -> None:
    assert mistakes({"LIVE_SERVER_PORT": "x"}) == ["LIVE_SERVER_PORT: found 'x', expected a whole number"]
    assert mistakes({"LIVE_SERVER_PORT": "1"}, port="x") == ["PORT: found 'x', expected a whole number"]


def test_other_variables_are_nobodys_business() -> None:
    assert Settings.from_env({"PATH": "/bin", "EDITOR": "ed", "port": "1"}) == Settings.from_env({})


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings.from_env({}).port = 1  # type: ignore[misc]  # that is the point


# ── mistakes ──


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("PORT", "abc", "found 'abc', expected a whole number"),
        ("PORT", "1.5", "found '1.5', expected a whole number"),
        ("PORT", "-1", "found '-1', expected at least 0"),
        ("ADMIN_PORT", "65536", "found '65536', expected at most 65535"),
        ("DRAIN_SECONDS", "soon", "found 'soon', expected a number"),
        ("DRAIN_SECONDS", "0", "found '0', expected more than 0"),
        ("DRAIN_SECONDS", "nan", "found 'nan', expected at most 86400"),
        ("IDLE_SECONDS", "inf", "found 'inf', expected at most 86400"),
        ("MAX_CALLS", "0", "found '0', expected at least 1"),
        ("ENVIRONMENT", "staging", "found 'staging', expected 'development' or 'production'"),
        ("GOOGLE_GENAI_USE_VERTEXAI", "perhaps", "found 'perhaps', expected true or false"),
        ("VOICE", "Puck!", "found 'Puck!', expected something like 'Puck'"),
        ("LANGUAGE", "english please", "found 'english please', expected something like 'en-US'"),
        ("GEMINI_API_VERSION", "1", "found '1', expected something like 'v1beta'"),
        ("LOG_LEVEL", "loud", "found 'loud', expected 'debug', 'info', 'warning' or 'error'"),
        ("BUDGET_USD_PER_DAY", "5", "found '5', expected 'unlimited'"),
        ("ALLOWED_ORIGINS", "shop", "'shop' is no origin, expected https://host, https://host:port or https://*.host"),
        (
            "TRUSTED_PROXIES",
            "10.0.0.0/8,lb",
            "'lb' is no address or network, expected such as 10.0.0.7 or 10.0.0.0/8",
        ),
        ("GOOGLE_GEMINI_BASE_URL", "there", "found 'there', expected something like https://localhost:8443"),
        ("VOICE", "x" * 500, "found '" + "x" * 79 + ", expected something like 'Puck'"),
    ],
)
def test_a_mistake_says_where_what_was_found_and_what_was_expected(name: str, value: str, line: str) -> None:
    assert mistakes({name: value, "GEMINI_API_KEY": "k"}) == [f"{name}: {line}"]


def test_every_mistake_is_a_line_and_they_come_in_the_order_of_the_settings() -> None:
    wrong = {"MAX_CALLS": "many", "PORT": "abc", "VOICE": "!", "ALLOWED_ORIGINS": "shop", "SENTRY_DSN": "x"}

    lines = mistakes(wrong)

    assert [line.partition(":")[0] for line in lines] == ["PORT", "ALLOWED_ORIGINS", "VOICE", "MAX_CALLS", "SENTRY_DSN"]
    assert not any("\n" in line for line in lines)


def test_what_production_demands_is_told_beside_what_is_wrong_by_itself() -> None:
    assert [line.partition(":")[0] for line in mistakes({"ENVIRONMENT": "production", "PORT": "x"})] == [
        *("PORT", "GEMINI_API_KEY", "ALLOWED_ORIGINS", "BUDGET_USD_PER_DAY"),
    ]


def test_a_setting_that_is_wrong_is_not_said_to_be_missing_too() -> None:
    lines = mistakes({**PRODUCTION, "ALLOWED_ORIGINS": "shop", "GEMINI_API_KEY": "ä", "TLS_CERT_FILE": "/nowhere"})

    assert [line.partition(":")[0] for line in lines] == ["TLS_CERT_FILE", "ALLOWED_ORIGINS", "GEMINI_API_KEY"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("GEMINI_API_KEY", f"{SECRET} ä"), ("GOOGLE_API_KEY", f"{SECRET}\x00"), ("SENTRY_DSN", SECRET)],
)
def test_the_value_of_a_secret_is_never_told(name: str, value: str) -> None:
    lines = mistakes({**PRODUCTION, "GEMINI_API_KEY": "", name: value})

    assert lines[0].startswith(f"{name}: found ")
    assert SECRET not in "".join(lines)


def test_a_secret_does_not_show_in_the_settings() -> None:
    settings = Settings.from_env(PRODUCTION)

    assert SECRET not in repr(settings) + str(settings) + settings.model_dump_json()


@given(st.dictionaries(st.sampled_from(names()), st.text(max_size=20), max_size=6))
def test_whatever_is_set_is_taken_or_told_of_in_lines(environ: dict[str, str]) -> None:
    try:
        settings = Settings.from_env(environ)
    except Mistakes as found:
        assert found.lines
        assert all(line.partition(":")[0].split()[0] in names() for line in found.lines)
    else:
        assert isinstance(settings, Settings)


# ── the port that the public does not see ──


@pytest.mark.parametrize(
    ("environ", "admin"),
    [
        ({}, None),
        ({"PORT": "0"}, None),
        ({"PORT": "1", "ADMIN_PORT": "1"}, None),
        ({"ADMIN_PORT": "9090"}, ("127.0.0.1", 9090)),
        ({"ADMIN_HOST": "::1"}, ("::1", 8080)),
        ({"PORT": "0", "ADMIN_PORT": "0"}, ("127.0.0.1", 0)),
        (PRODUCTION, ("0.0.0.0", 9090)),
        ({**PRODUCTION, "HOST": "0.0.0.0"}, ("0.0.0.0", 9090)),
        ({**PRODUCTION, "ADMIN_HOST": "10.0.0.1", "ADMIN_PORT": "1"}, ("10.0.0.1", 1)),
    ],
)
def test_metrics_are_on_the_same_port_in_development_and_on_their_own_in_production(
    environ: dict[str, str], admin: Any
) -> None:
    assert Settings.from_env(environ).admin == admin


# ── files ──


def test_a_persona_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "persona.txt"
    file.write_text("  You are a pirate.\n")
    settings = Settings.from_env({"SYSTEM_INSTRUCTION_FILE": str(file)})

    assert settings.instruction() == "You are a pirate."


def test_a_persona_that_was_spoilt_after_the_start_is_a_mistake_too(tmp_path: Path) -> None:
    file = tmp_path / "persona.txt"
    file.write_text("You are a pirate.")
    settings = Settings.from_env({"SYSTEM_INSTRUCTION_FILE": str(file)})
    file.unlink()

    with pytest.raises(Mistakes, match=r"SYSTEM_INSTRUCTION_FILE: found '.*', which cannot be read"):
        settings.instruction()


def test_a_certificate_and_its_key_are_what_https_needs(tmp_path: Path) -> None:
    certificate = trustme.CA().issue_cert("localhost")
    certificate.private_key_and_cert_chain_pem.write_to_path(tmp_path / "both.pem")
    both = str(tmp_path / "both.pem")

    assert Settings.from_env({"TLS_CERT_FILE": both, "TLS_KEY_FILE": both}).tls() is not None


# ── the page ──


def test_the_page_of_settings_is_up_to_date() -> None:
    again = "python -c \"from actors.settings import markdown; open('docs/settings.md', 'w').write(markdown())\""

    assert PAGE.read_text(encoding="utf-8") == markdown(), f"make it anew: {again}"


def test_the_page_tells_name_default_and_meaning_of_each_and_no_value_of_a_secret() -> None:
    page = markdown()
    rows = [line for line in page.splitlines() if line.startswith("| `")]

    assert [row.split("`")[1] for row in rows] == [name_of(field) for field in Settings.model_fields]
    assert all(len(row.strip("|").split(" | ")) == 3 and row.strip("| ").split(" | ")[2] for row in rows)
    assert "| `MAX_CONNECTIONS_PER_IP` | `20` |" in page
    assert "| `PORT` (also `LIVE_SERVER_PORT`) | `8080` |" in page


def test_every_setting_has_a_meaning_a_name_and_a_flag() -> None:
    for field, info in Settings.model_fields.items():
        assert info.description
        assert name_of(field).isupper()
        assert flag(field) == "--" + name_of(field).lower().replace("_", "-")
