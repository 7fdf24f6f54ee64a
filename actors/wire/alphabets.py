"""One decoder for the spellings of base64 that callers use. Pure.

Browsers' `btoa` writes the standard alphabet, padded, and that is the fast road. The URL-safe alphabet and missing
padding (RFC 4648, sections 5 and 3.2) take a slower one. Everything else is junk and an error; the stock decoder
would skip it in silence.
"""

from __future__ import annotations

import re

from pybase64 import b64decode

from actors.errors import BadFrame

_SPELLING = re.compile(r"[A-Za-z0-9+/_-]*+={0,2}")


def decode(text: str, where: str) -> bytes:
    """The bytes that this text stands for. Raises `BadFrame`, naming `where`, if it is not base64."""
    try:
        return b64decode(text, None, True)
    except ValueError:  # binascii.Error, or the plain one for letters outside Latin-1
        spelled = _standard(text)
    if spelled is None:
        raise BadFrame(f"{where} is not base64, expected the standard or the URL-safe alphabet")
    return b64decode(spelled, None, True)


def _standard(text: str) -> str | None:
    """The same in the standard alphabet and padded; `None` if it is no base64 in any spelling."""
    if not _SPELLING.fullmatch(text):
        return None
    missing = -len(text) % 4
    if missing and ("=" in text or missing == 3):
        return None
    return text.replace("-", "+").replace("_", "/") + "=" * missing
