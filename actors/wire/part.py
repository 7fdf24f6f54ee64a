"""What all models of the wire have in common, and the few kinds of field that several of them share. Pure.

    Part  ──▶ start.py  from_caller.py  to_caller.py

On the wire names are camelCase, unknown fields are ignored (older callers send some), numbers are finite, and nothing
is guessed: `"5"` is not a number and `1` is not true.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, WrapValidator
from pydantic.alias_generators import to_camel

from actors.wire import limits


class Part(BaseModel):
    """A frame, or an object inside one."""

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
        alias_generator=to_camel,
    )


def _or_none(value: Any, handler: Callable[[Any], Any]) -> Any:
    try:
        return handler(value)
    except ValidationError:
        return None


ORNAMENT = WrapValidator(_or_none)
"""A field whose unusable value is as good as none: it must not spoil the frame that it comes in."""

Line = Annotated[str, Field(max_length=limits.LINE_CHARS, pattern=limits.ONE_LINE)]
"""A name, a city: short, and without control characters."""
SessionId = Annotated[str, Field(max_length=limits.SESSION_ID_CHARS, pattern=limits.NOT_BLANK_LINE)]
