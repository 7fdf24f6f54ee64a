"""The models of what the house sends cover what it can say, and hold it to its word."""

from __future__ import annotations

from typing import get_args

import pytest
from pydantic import ValidationError

from actors.replies import Reply
from actors.wire.to_caller import FRAMES, READY, ToCallerFrame

KINDS = {model.model_fields["type"].annotation for model in get_args(get_args(ToCallerFrame)[0])}
TYPES = {get_args(kind)[0] for kind in KINDS}


def test_there_is_a_model_for_every_reply() -> None:
    assert len(TYPES) == len(get_args(Reply))


def test_the_signs_of_readiness_are_types_of_the_protocol() -> None:
    assert set(READY) <= TYPES


@pytest.mark.parametrize(
    "frame",
    [
        '{"type":"connected","payload":{"connectionId":"c1","protocol":2,"server":"parley"}}',
        '{"type":"session_ready","payload":{"sessionId":"s","timestamp":1}}',
        '{"type":"session_closed","payload":{"reason":"bored","cause":"idle","message":""}}',
        '{"type":"session_closed","payload":{"reason":"client_stop","cause":"bored","message":""}}',
        '{"type":"error","payload":{"code":"X","message":"y"}}',
        '{"type":"heartbeat"}',
        '{"type":"resumed","payload":{}}',
    ],
)
def test_a_frame_that_breaks_the_protocol_breaks_its_model(frame: str) -> None:
    with pytest.raises(ValidationError):
        FRAMES.validate_json(frame)
