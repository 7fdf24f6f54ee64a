"""What was received and sent, counted by the service."""

from __future__ import annotations

from actors.live.emulator.calls import Tally
from actors.live.emulator.endings import INVALID
from tests.emulator_caller import NEW, Caller, audio, realtime, silence, tone, typed


def test_what_comes_in_is_counted_by_kind_with_its_payload() -> None:
    caller = Caller().open()
    caller.say(audio(tone(0.02)))
    caller.say(audio(silence(0.02)))
    caller.say(realtime(video={"data": "AAAA", "mimeType": "image/png"}))
    caller.say(realtime(text="grüße"))
    caller.say(typed("hi", complete=False))
    caller.say({"toolResponse": {}})
    caller.say({"contextUpdate": {}})

    tally = caller.line.tally
    assert tally.frames == {
        "setup": 1,
        "audio": 2,
        "video": 1,
        "text": 1,
        "clientContent": 1,
        "toolResponse": 1,
        "contextUpdate": 1,
    }
    assert (tally.bytes["audio"], tally.bytes["video"], tally.bytes["text"]) == (1280, 3, 7)


def test_what_goes_out_is_counted_by_field() -> None:
    tally = Tally()
    tally.sent({"serverContent": {}})
    tally.sent({"serverContent": {"modelTurn": {"parts": []}, "outputTranscription": {"text": "a"}}})
    tally.sent({"serverContent": {"turnComplete": True}, "usageMetadata": {"totalTokenCount": 5}})
    tally.sent({"goAway": {"timeLeft": "60s"}})

    assert tally.said == {
        "serverContent": 1,
        "modelTurn": 1,
        "outputTranscription": 1,
        "turnComplete": 1,
        "usageMetadata": 1,
        "goAway": 1,
    }


def test_the_setup_is_kept_in_canonical_names_and_out_of_sight() -> None:
    caller = Caller().open(sessionResumption={}, systemInstruction={"parts": [{"text": "secret"}]})

    tally = caller.line.tally
    assert tally.setup is not None
    assert tally.setup["model"] == NEW
    assert tally.setup["sessionResumption"] == {}
    assert "secret" not in repr(tally)


def test_an_end_is_kept_with_its_reason() -> None:
    caller = Caller().open()
    caller.say({"realtimeInput": {"text": 5}})

    tally = caller.line.tally
    assert (tally.close, tally.why) == (INVALID, "realtimeInput.text: expected text")
    assert tally.frames["unreadable"] == 1
