"""What is wrong with the settings, in words."""

from __future__ import annotations

import pytest

from actors.mistakes import Mistakes, misspelt
from actors.settings import names

ORDINARY = """
    PATH HOME HOST_IP HOSTNAME HOSTTYPE LANG LC_ALL LOGNAME LS_COLORS MAIL OLDPWD PWD SHELL SHLVL TERM TMPDIR TZ USER
    VIRTUAL_ENV VISUAL XDG_RUNTIME_DIR EDITOR PAGER HTTP_PROXY HTTPS_PROXY NO_PROXY SSL_CERT_FILE SSL_CERT_DIR
    KUBERNETES_PORT KUBERNETES_SERVICE_HOST KUBERNETES_SERVICE_PORT PARLEY_PORT PARLEY_SERVICE_PORT PORT_8080_TCP
    FLY_APP_NAME FLY_REGION PRIMARY_REGION REDIS_URL DATABASE_URL AUTH_SECRET AUTH_JWKS_URL GOOGLE_CLOUD_PROJECT
    GOOGLE_CLOUD_LOCATION GOOGLE_APPLICATION_CREDENTIALS SENTRY_TRACES_SAMPLE_RATE WEBHOOK_URL STAGE_URL RESUME_SECONDS
    MAX_CALLS_PER_USER PYTHONUNBUFFERED GPG_KEY PYTHON_VERSION OPENAI_API_KEY ANTHROPIC_API_KEY
"""
"""Variables of systems and of other programs, and settings that do not exist yet."""


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("GEMINI_APIKEY", "GEMINI_API_KEY"),
        ("GEMINI_API_KEYS", "GEMINI_API_KEY"),
        ("MAX_CALL", "MAX_CALLS"),
        ("MAX_CONECTIONS_PER_IP", "MAX_CONNECTIONS_PER_IP"),
        ("LOGLEVEL", "LOG_LEVEL"),
        ("SENTRY_DNS", "SENTRY_DSN"),
        ("ALLOWED_ORIGIN", "ALLOWED_ORIGINS"),
        ("TRUSTED_PROXY", "TRUSTED_PROXIES"),
        ("DRAIN_SECOND", "DRAIN_SECONDS"),
        ("GOOGLE_APIKEY", "GOOGLE_API_KEY"),
    ],
)
def test_a_slip_is_told_with_what_was_probably_meant_and_without_its_value(slip: str, meant: str) -> None:
    assert misspelt({slip: "hush"}, names()) == [f"{slip} is not a setting; did you mean {meant}?"]


def test_each_slip_is_a_line() -> None:
    assert len(misspelt({"MAX_CALL": "1", "LOGLEVEL": "info", "PATH": "/"}, names())) == 2


@pytest.mark.parametrize("name", ORDINARY.split())
def test_variables_of_others_are_no_slips(name: str) -> None:
    assert misspelt({name: "value"}, names()) == []


def test_a_setting_is_no_slip() -> None:
    assert misspelt(dict.fromkeys(names(), "value"), names()) == []


def test_where_both_are_set_the_other_belongs_to_somebody_else() -> None:
    assert misspelt({"LOGLEVEL": "info", "LOG_LEVEL": "debug"}, names()) == []
    assert misspelt({"LOGLEVEL": "info", "LOG_LEVEL": ""}, names()) != []


def test_mistakes_are_their_lines() -> None:
    mistakes = Mistakes(["PORT: one", "HOST: two"])

    assert mistakes.lines == ["PORT: one", "HOST: two"]
    assert str(mistakes) == "PORT: one; HOST: two"
