"""One frame to one value. Pure.

    str   (a text frame)   ──▶ weigh ──▶ FRAMES ──▶ messages.FromCaller
    bytes (a binary frame) ──▶ Audio, of the very same bytes
    anything wrong         ──▶ BadFrame · UnknownType, and nothing else

Nobody parses after this. The errors name the field and what was expected; they carry no input, not even as the
exception that they came from: what people say must not travel inside an exception.
"""

from __future__ import annotations

import re

from pydantic import ValidationError

from actors.messages import Audio, FromCaller, Ping
from actors.wire.complaint import UNREADABLE, complaint
from actors.wire.from_caller import FRAMES
from actors.wire.media import sound
from actors.wire.weight import weigh

_PING = re.compile(r'"type"\s*:\s*"ping"')


def parse(frame: str | bytes) -> FromCaller:
    """What this frame says. Raises `BadFrame` or `UnknownType`.

    Text that is no JSON but has a ping in it is a ping: the server that Parley replaces answered those (client
    protocol, A1), and a caller without its pong hangs up.
    """
    if isinstance(frame, bytes):
        return Audio(sound(frame, "audio frame"))
    weigh(frame)
    try:
        return FRAMES.validate_json(frame).message()
    except ValidationError as error:
        found = error.errors(include_url=False)[0]
    if found["type"] in UNREADABLE and _PING.search(frame):
        return Ping()
    raise complaint(found)
