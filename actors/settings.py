"""The environment, read once.

    flags ▸ environment ▸ .env ──▶ Settings.from_env ──▶ Settings, frozen     before a port is opened
                                                  └────▶ Mistakes: all of them, a line for each

After that it is an argument. Secrets are `SecretStr`. Files that are named here are opened once, to see that they are
what they should be. A setting exists when it works; the page `docs/settings.md` is made from these fields. Names of
the server that Parley replaces still work where they meant the same.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_core import ErrorDetails

from actors import persona
from actors.checks import (
    DSN,
    Addresses,
    Certificates,
    Key,
    Language,
    Patterns,
    Persona,
    Port,
    Rate,
    Readable,
    Seconds,
    Upstream,
    Version,
    Voice,
)
from actors.demands import broken
from actors.door.origins import Origins
from actors.door.visitors import Proxies
from actors.mistakes import Mistakes, complaint

# Other names that are read where the first is not set.
ALSO = {
    "port": ("LIVE_SERVER_PORT",),
    "allowed_origins": ("NEXT_PUBLIC_ALLOWED_ORIGINS",),
    "gemini_api_key": ("GOOGLE_API_KEY", "GOOGLE_GENERATIVE_AI_API_KEY"),
}


class Settings(BaseModel):
    """What a person who runs the gateway may choose. Field names in capitals are the environment's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    environment: Literal["development", "production"] = Field(
        "development", description="`production` demands a key, allowed origins and a budget"
    )
    host: str = Field("127.0.0.1", description="where to listen; `0.0.0.0`: on every network this machine is in")
    port: Port = Field(8080, description="where callers, pages and probes come in; 0: any free one")
    admin_host: str | None = Field(
        None, description="where metrics are served; none: as `HOST` in development, 0.0.0.0 in production"
    )
    admin_port: Port | None = Field(
        None, description="their port, not for the public; none: as `PORT` in development, 9090 in production"
    )
    tls_cert_file: Readable | None = Field(
        None, description="HTTPS and WSS at the door: the certificate with its chain, as PEM"
    )
    tls_key_file: Readable | None = Field(None, description="its key, as PEM, not encrypted")
    allowed_origins: Patterns = Field(
        (),
        description="pages that may connect, comma separated: exact origins and `https://*.example.com`; "
        "none: those of this machine, in development only",
    )
    trusted_proxies: Addresses = Field(
        (),
        description="whose word about a caller's address (`X-Forwarded-For`, `Fly-Client-IP`) counts, comma separated: "
        "addresses, networks such as `10.0.0.0/8`, and `fly` for the proxy of Fly.io",
    )
    gemini_api_key: Key | None = Field(
        None,
        description="none: the built-in emulator, in development only",
    )
    google_genai_use_vertexai: bool = Field(False, description="not available yet: a wish for it is refused")
    google_gemini_base_url: Upstream | None = Field(None, description="another upstream, such as an emulator elsewhere")
    upstream_ca_file: Certificates | None = Field(
        None, description="the authority that signs that upstream's certificate"
    )
    gemini_api_version: Version = Field("v1beta", description="which version of the Live API is spoken")
    gemini_live_model: str = Field("gemini-3.8-live", min_length=1, description="the model that answers")
    voice: Voice = Field("Puck", description="of the model, where a caller does not choose one")
    language: Language = Field("en-US", description="what is spoken, where a caller does not choose; a BCP-47 tag")
    system_instruction_file: Persona | None = Field(
        None, description="who the model is told to be; none: a short default"
    )
    playout_lead_ms: int = Field(
        1000, ge=100, le=10_000, description="how far ahead of real time the model's sound is handed to a caller"
    )
    max_calls: Rate = Field(1000, description="calls at the same time, of this process")
    max_connections_per_ip: Rate = Field(
        20, description="sockets open from one address (IPv6: a /64); those of this machine itself are not counted"
    )
    audio_per_second: Rate = Field(200, description="messages with sound that a caller may send")
    messages_per_minute: Rate = Field(100, description="other messages that a caller may send")
    media_per_minute: Rate = Field(300, description="messages with pictures that a caller may send")
    idle_seconds: Seconds = Field(300, description="without a word from either side, after which a call ends")
    max_call_seconds: Seconds = Field(7200, description="the longest call")
    budget_usd_per_day: Literal["unlimited"] | None = Field(
        None, description="production: must be set. Amounts are not kept to yet, so only `unlimited` is taken"
    )
    sentry_dsn: DSN | None = Field(None, description="where our own faults are reported")
    sentry_environment: str | None = Field(None, description="none: as `ENVIRONMENT`")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="what is worth a line")
    log_format: Literal["console", "json"] | None = Field(
        None, description="none: `console` on a terminal, else `json`"
    )
    drain_seconds: Seconds = Field(25, description="from SIGTERM to exit")

    @model_validator(mode="after")
    def _fit_together(self) -> Settings:
        if wrong := broken(self):
            raise ValueError("\n".join(wrong))
        return self

    @classmethod
    def from_env(cls, environ: Mapping[str, str], flags: Mapping[str, str] | None = None) -> Settings:
        """Read the environment, and flags (by field name), which override it. What is set to nothing is not set.

        Raises:
            Mistakes: with a line for every setting that cannot be used.
        """
        found = {field: _found(field, environ) for field in cls.model_fields}
        found.update({field: (name_of(field), value.strip()) for field, value in (flags or {}).items()})
        given = {field: value for field, (_, value) in found.items() if value}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            wrong = [each for each in error.errors(include_url=False) if each["loc"]]
        fields = [str(each["loc"][0]) for each in wrong]
        lines = [_line(field, found[field][0], each) for field, each in zip(fields, wrong, strict=True)]
        raise Mistakes(lines + cls._misfits(given, set(fields)))

    @classmethod
    def _misfits(cls, given: Mapping[str, str], wrong: set[str]) -> list[str]:
        """What does not fit together, as far as it can be told without the settings that are wrong by themselves."""
        try:
            cls.model_validate({field: value for field, value in given.items() if field not in wrong})
        except ValidationError as error:
            lines = str(error.errors(include_url=False)[0]["ctx"]["error"]).split("\n")
        else:
            return []
        unknown = {name_of(field) for field in wrong}
        return [line for line in lines if unknown.isdisjoint(re.findall("[A-Z_]+", line))]

    @property
    def admin(self) -> tuple[str, int] | None:
        """Where metrics have a port of their own; `None` when it is the public one."""
        production = self.environment == "production"
        host = self.admin_host or ("0.0.0.0" if production else self.host)
        port = self.admin_port if self.admin_port is not None else (9090 if production else self.port)
        same = (host, port) == (self.host, self.port) and (port or self.admin_port is None)  # two zeros are two ports
        return None if same else (host, port)

    @property
    def origins(self) -> Origins:
        return Origins.parse(self.allowed_origins) if self.allowed_origins else Origins.local()

    @property
    def proxies(self) -> Proxies:
        return Proxies.parse(self.trusted_proxies)

    def tls(self) -> ssl.SSLContext | None:
        """What the door needs for HTTPS.

        Raises:
            OSError: the two files do not belong together, or the key is encrypted.
        """
        if self.tls_cert_file is None:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.tls_cert_file, self.tls_key_file, lambda: b"")  # or OpenSSL asks at the terminal
        return context

    def instruction(self) -> str:
        """The persona.

        Raises:
            Mistakes: its file has been spoilt since the settings were read.
        """
        if self.system_instruction_file is None:
            return persona.INSTRUCTION
        try:
            return persona.read(self.system_instruction_file)
        except ValueError as error:
            raise Mistakes([f"SYSTEM_INSTRUCTION_FILE: {error}"]) from None


def names() -> list[str]:
    """Everything that is read from the environment."""
    return [*map(name_of, Settings.model_fields), *(name for others in ALSO.values() for name in others)]


def name_of(field: str) -> str:
    """What the environment calls a field."""
    return field.upper()


def _found(field: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """Under which name something was said of a field, and what."""
    said = ((name, environ.get(name, "").strip()) for name in (name_of(field), *ALSO.get(field, ())))
    return next(((name, value) for name, value in said if value), (name_of(field), ""))


def _line(field: str, name: str, found: ErrorDetails) -> str:
    info = Settings.model_fields[field]
    return complaint(name, found, example=info.default, secret=SecretStr.__name__ in str(info.annotation))


PAGE = (
    "# Settings",
    "",
    "Each is a variable of the environment and a flag of `server.py serve`: `MAX_CALLS=50` is `--max-calls 50`. Flags",
    "override the environment, which overrides a file `.env` in the folder where the gateway is started. What is set",
    "to nothing is not set. All are checked before a port is opened: every mistake is a line, and the exit code is 2.",
    "",
)


def markdown() -> str:
    """The page `docs/settings.md`."""
    rows = [*PAGE, "| name | default | meaning |", "|---|---|---|"]
    for field, info in Settings.model_fields.items():
        default = "none" if info.default in (None, ()) else f"`{info.default}`"
        known = f" (also {', '.join(f'`{name}`' for name in ALSO[field])})" if field in ALSO else ""
        rows.append(f"| `{name_of(field)}`{known} | {default} | {info.description} |")
    return "\n".join(rows) + "\n"
