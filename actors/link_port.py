"""What a link needs of the world: a way to the model, and one line along it.

    LinkActor ──▶ Upstream.dial ──▶ Line ──▶ send · close · abort
        ▲                            │
        └── Opened · Speech · Said · … · Lost ◀── by mail, each with the number of its session

The port stands in the words of this house: values in, mail out. What speaks Google's language behind it is
`live/gemini.py`; tests put something that records in its place. Nothing here waits.
"""

from __future__ import annotations

from typing import Protocol

from actors.messages import Opening, ToModel
from actors.runtime import Mail


class Line(Protocol):
    """One upstream session, being opened or open. None of these waits; what happens comes to the owner by mail."""

    def send(self, message: ToModel) -> None:
        """Say this to the model, after everything sent before it. Ignored while the session is not open."""

    def close(self) -> None:
        """Leave politely: a goodbye, a second at most to hear it answered, then the end. No mail after this call."""

    def abort(self) -> None:
        """Leave at once, without a goodbye. No mail after this call."""


class Upstream(Protocol):
    """The way to the model, one for all calls."""

    def dial(self, opening: Opening, session: int, owner: Mail) -> Line:
        """Begin a session; `session` is the number that all its mail carries.

        The owner is told `Opened` when the session is set up, then what the model says, in order; and `Lost`
        exactly once, as the last of all, if the session could not be opened or is gone. When `Lost` is told, its
        socket is closed. After `close` or `abort` the owner hears nothing more of this session.
        """
