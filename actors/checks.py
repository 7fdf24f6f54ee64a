"""What the value of a setting must be.

    str, from the environment ──▶ pydantic, with a check ──▶ the value · ValueError: what was found, what was expected

The types at the end are what a field of the settings is declared with. Each looks at one value alone; what several
must be together stands in `demands`. The value of a secret is never repeated.
"""

from __future__ import annotations

import re
import ssl
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from sentry_sdk.utils import BadDsn, Dsn

from actors import persona
from actors.door.origins import Origins
from actors.door.visitors import Proxies


def _listed(value: Any) -> Any:
    """The parts of a comma separated list."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _are_origins(value: tuple[str, ...]) -> tuple[str, ...]:
    Origins.parse(value)
    return value


def _are_proxies(value: tuple[str, ...]) -> tuple[str, ...]:
    Proxies.parse(value)
    return value


def _language_of(value: str) -> str:
    """The language of a tag, or of gettext's list: it reads a variable LANGUAGE too, such as `de_AT.UTF-8:en`."""
    first = re.split(r"[:.@]", value)[0]
    return "en-US" if first in ("C", "POSIX") else first.replace("_", "-")


def _is_key(value: SecretStr) -> SecretStr:
    """It travels in a header."""
    if not re.fullmatch(r"[!-~]+", value.get_secret_value()):
        raise ValueError("found a character that no key has, expected ASCII without spaces")
    return value


def _is_dsn(value: SecretStr) -> SecretStr:
    try:
        Dsn(value.get_secret_value())
    except BadDsn:
        raise ValueError("found a value that cannot be used, expected something like https://key@host/1") from None
    return value


def _is_address(value: str) -> str:
    """Of an upstream. The SDK dials TLS whatever the scheme says."""
    if not re.match(r"(https?|wss?)://[^\s/?#]", value):
        raise ValueError(f"found {value!r}, expected something like https://localhost:8443")
    return value


def _is_readable(file: Path) -> Path:
    try:
        file.read_bytes()
    except OSError as error:
        raise ValueError(f"found {str(file)!r}, expected a file to read ({error.strerror})") from None
    return file


def _holds_certificates(file: Path) -> Path:
    try:
        ssl.create_default_context(cafile=_is_readable(file))
    except ssl.SSLError:
        raise ValueError(f"found {str(file)!r}, expected a file of certificates as PEM") from None
    return file


def _is_persona(file: Path) -> Path:
    persona.read(file)
    return file


Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
Rate = Annotated[int, Field(ge=1, le=1_000_000)]
Readable = Annotated[Path, AfterValidator(_is_readable)]
Certificates = Annotated[Path, AfterValidator(_holds_certificates)]
Persona = Annotated[Path, AfterValidator(_is_persona)]
Upstream = Annotated[str, AfterValidator(_is_address)]
Key = Annotated[SecretStr, AfterValidator(_is_key)]
DSN = Annotated[SecretStr, AfterValidator(_is_dsn)]
Language = Annotated[str, BeforeValidator(_language_of), Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
Patterns = Annotated[tuple[str, ...], BeforeValidator(_listed), AfterValidator(_are_origins)]
Addresses = Annotated[tuple[str, ...], BeforeValidator(_listed), AfterValidator(_are_proxies)]
Version = Annotated[str, Field(pattern=r"^v\d+(alpha|beta)?\d*$")]
Voice = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
