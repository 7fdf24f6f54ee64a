"""What several settings must be together.

    Settings, each value well by itself ──▶ broken ──▶ a line for each demand that is not met

Production demands what keeps strangers and bills out. A line begins with the names of the settings that it is about.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from actors.settings import Settings


def broken(settings: Settings) -> list[str]:
    """The demands that are not met, in words."""
    demands = [*_of_all(settings), *(_of_production(settings) if settings.environment == "production" else ())]
    return [words for met, words in demands if not met]


def _of_production(settings: Settings) -> Iterator[tuple[bool, str]]:
    yield (
        settings.gemini_api_key is not None,
        "GEMINI_API_KEY: not set, expected a key (the emulator answers in development only)",
    )
    yield bool(settings.allowed_origins), "ALLOWED_ORIGINS: not set, expected the origins of your pages"
    yield (
        settings.budget_usd_per_day is not None,
        "BUDGET_USD_PER_DAY: not set, expected `unlimited` (amounts are not kept to yet)",
    )
    yield settings.admin is not None, "ADMIN_PORT: found that of callers, expected another in production"


def _of_all(settings: Settings) -> Iterator[tuple[bool, str]]:
    yield (
        (settings.tls_cert_file is None) == (settings.tls_key_file is None),
        "TLS_CERT_FILE and TLS_KEY_FILE: one is set, expected both or none",
    )
    yield (
        _tls_can_be_used(settings),
        "TLS_CERT_FILE and TLS_KEY_FILE: expected a certificate and its key as PEM, the key not encrypted",
    )
    yield (
        not settings.google_genai_use_vertexai,
        "GOOGLE_GENAI_USE_VERTEXAI: set, expected a Gemini API key instead (no Vertex AI yet)",
    )
    yield (
        settings.google_gemini_base_url is None or settings.gemini_api_key is not None,
        "GOOGLE_GEMINI_BASE_URL: set without GEMINI_API_KEY; an emulator takes any word for a key",
    )


def _tls_can_be_used(settings: Settings) -> bool:
    if settings.tls_key_file is None:
        return True
    try:
        settings.tls()
    except OSError:
        return False
    return True
