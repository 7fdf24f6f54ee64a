"""What a caller may wish for in `start`, and how gently it is read. Pure.

    payload of `start` ──▶ StartPayload ──▶ messages.Start, with a remark for each wish that was left out

These fields are older than Parley (part A of the protocol) and in use on pages that nobody will touch again. So one
that cannot be used is left out, the house's default takes its place, and the caller is told; the call begins. A wrong
value in a field of part B (`audio`) is an error like any other.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, ModelWrapValidatorHandler, ValidationError, model_validator

from actors.messages import Location, Start, UserContext
from actors.wire import limits
from actors.wire.complaint import field_of, words
from actors.wire.part import Line, Part, SessionId

_FORGIVEN = frozenset({"languageCode", "voiceName", "sessionId", "userContext", "locationData"})


class UserContextPart(Part):
    """Who the caller says they are; never proof of anything."""

    name: Line | None = Field(None, description="What to call them.")
    email: Line | None = Field(None, description="Where to write to them.")


class LocationPart(Part):
    """Where the caller says they are."""

    latitude: float = Field(ge=-90, le=90, description="In degrees, north positive.")
    longitude: float = Field(ge=-180, le=180, description="In degrees, east positive.")
    city: Line | None = Field(None, description="Name of the city.")
    country: Line | None = Field(None, description="Name or code of the country.")


class StartPayload(Part):
    """What the caller wishes for; all of it optional."""

    language_code: Annotated[str, Field(max_length=limits.TAG_CHARS, pattern=limits.LANGUAGE_TAG)] | None = Field(
        None, description="A BCP-47 tag such as `en-US`."
    )
    voice_name: Annotated[str, Field(pattern=limits.VOICE_NAME)] | None = Field(
        None, description="One of the model's voices, such as `Puck`."
    )
    session_id: SessionId | None = Field(
        None, description="The session to go on with; without one, a new id is given in `session_started`."
    )
    user_context: UserContextPart | None = Field(None, description="Who the caller says they are.")
    location_data: LocationPart | None = Field(None, description="Where the caller says they are.")
    audio: Literal["base64", "binary"] = Field(
        "base64", description="How the caller wants to receive sound: in `audio` messages, or in binary frames."
    )
    _remarks: tuple[str, ...] = ()

    @model_validator(mode="wrap")
    @classmethod
    def _gently(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Leave out what cannot be used of part A, once, and remember it; part B must be right."""
        try:
            return handler(data)
        except ValidationError as error:
            problems = error.errors(include_url=False)
        remarks = {name: words(found) for found in problems if (name := field_of(found)) in _FORGIVEN}
        start = handler({name: value for name, value in data.items() if name not in remarks} if remarks else data)
        start._remarks = tuple(remarks.values())
        return start

    def message(self) -> Start:
        user, place = self.user_context, self.location_data
        return Start(
            language=self.language_code,
            voice=self.voice_name,
            session_id=self.session_id,
            user=UserContext(user.name, user.email) if user else None,
            location=Location(place.latitude, place.longitude, place.city, place.country) if place else None,
            audio=self.audio,
            remarks=self._remarks,
        )
