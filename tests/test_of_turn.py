"""The models of a turn hold the house to what the old client depends on."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from actors.wire.of_turn import TurnCompleteFrame
from actors.wire.to_caller import FRAMES


@pytest.mark.parametrize(
    "frame",
    [
        '{"type":"input_transcript","payload":{"text":"a","isFinal":true}}',
        '{"type":"output_transcript","payload":{"text":"a","final":true}}',
        '{"type":"output_transcript","payload":{"text":null,"isFinal":true,"final":true}}',
        '{"type":"turn_started","payload":{"turn":"1"}}',
        '{"type":"turn_complete","payload":{"turn":1}}',
        '{"type":"turn_complete","payload":{"turnComplete":false,"turn":1}}',
        '{"type":"audio","payload":{"audioData":"AAAA"}}',
        '{"type":"audio","payload":{"audioData":"AAAA","mimeType":"audio/pcm;rate=16000"}}',
        '{"type":"tool_call","payload":{"responses":["a"]}}',
    ],
)
def test_a_frame_that_breaks_the_protocol_breaks_its_model(frame: str) -> None:
    with pytest.raises(ValidationError):
        FRAMES.validate_json(frame)


def test_a_turn_that_ends_by_itself_gives_no_reason() -> None:
    frame = TurnCompleteFrame.model_validate_json('{"type":"turn_complete","payload":{"turnComplete":true,"turn":1}}')

    assert frame.payload.reason is None
