"""What is served over HTTP.

    path ──▶ Pages.find(path) ──▶ Page: bytes, type, ETag          loaded once, from web/

The talk page may load nothing from anywhere else and nobody may frame it (Content-Security-Policy). The client
module may be loaded by any site: it is meant to be embedded.
"""

from __future__ import annotations

import hashlib
import http
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from websockets.datastructures import Headers
from websockets.http11 import Response

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What the talk page may load and do."""
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
PATHS = {
    "/": "index.html",
    "/client.js": "client.js",
    "/talk.js": "talk.js",
    "/talk.css": "talk.css",
    "/favicon.svg": "favicon.svg",
}
"""Which file of `web/` stands at which path."""
FOR_ANYBODY = frozenset({"/client.js"})
"""Paths that a page of another origin may load."""


@dataclass(frozen=True, slots=True)
class Page:
    """One answer to a GET."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Pages:
    """The files of `web/`, in memory."""

    def __init__(self, folder: Path) -> None:
        self._pages = {path: _load(folder / name, path) for path, name in PATHS.items()}

    def find(self, path: str) -> Page | None:
        return self._pages.get(path)


def respond(status: int, body: bytes, headers: Mapping[str, str]) -> Response:
    """An HTTP response; the connection closes after it, as websockets has it."""
    fields = Headers({"Content-Length": str(len(body)), "Connection": "close", "X-Content-Type-Options": "nosniff"})
    fields.update(headers)
    return Response(status, http.HTTPStatus(status).phrase, fields, body)


def respond_page(page: Page, known: str | None) -> Response:
    """The page, or 304 where it is among the `known`, an If-None-Match header (RFC 9110, section 13.1.2)."""
    tags = {tag.strip().removeprefix("W/") for tag in (known or "").split(",")}
    if tags.isdisjoint({page.headers["ETag"], "*"}):
        return respond(200, page.body, page.headers)
    response = respond(304, b"", page.headers)
    del response.headers["Content-Length"]  # it would be that of the page (RFC 9110, section 8.6)
    return response


def text(status: int, body: str, **headers: str) -> Response:
    """A line of plain text."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return respond(status, body.encode(), {"Content-Type": "text/plain; charset=utf-8", **fields})


def _load(file: Path, path: str) -> Page:
    body = file.read_bytes()
    headers = {
        "Content-Type": TYPES[file.suffix],
        "ETag": f'"{hashlib.sha256(body).hexdigest()[:16]}"',
        "Cache-Control": "no-cache",
        "Referrer-Policy": "no-referrer",
    }
    if path in FOR_ANYBODY:
        headers["Access-Control-Allow-Origin"] = "*"
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    else:
        headers["Content-Security-Policy"] = POLICY
        headers["Permissions-Policy"] = "microphone=(self), camera=(), geolocation=()"
    return Page(body, headers)
