"""One answer at a time: billed, and resumable only in between."""

from __future__ import annotations

import pytest

from actors.live.emulator.endings import INVALID
from actors.live.emulator.options import Options
from tests.emulator_caller import BOTH, NEW, OLD, Caller, realtime, score, silence, tone, transcript, typed, usage

INSTRUCTION = {"parts": [{"text": "x" * 400}]}


def count(details: list[dict[str, object]], modality: str) -> int:
    return sum(int(str(each["tokenCount"])) for each in details if each["modality"] == modality)


@pytest.mark.parametrize(("model", "heard"), [(OLD, 25), (NEW, 50)])
def test_speech_is_billed_by_the_second_and_silence_by_new_models(model: str, heard: int) -> None:
    caller = Caller().open(model)

    bill = usage(caller.speak(silence(0.2) + tone(1) + silence(0.8)) + caller.wait(10))

    assert count(bill["promptTokensDetails"], "AUDIO") == pytest.approx(heard, abs=1)
    assert count(bill["responseTokensDetails"], "AUDIO") == pytest.approx(34, abs=1)


@pytest.mark.parametrize("model", BOTH)
def test_sound_is_new_on_one_bill_only(model: str) -> None:
    caller = Caller().open(model)

    first = usage(caller.speak(tone(1) + silence(0.8)) + caller.wait(10))
    second = usage(caller.say(typed("x")) + caller.wait(10))

    assert second["promptTokenCount"] == first["totalTokenCount"] + 1


def test_the_whole_context_is_billed_again_each_turn() -> None:
    caller = Caller().open(OLD, systemInstruction=INSTRUCTION)

    first = usage(caller.say(typed("x" * 40)) + caller.wait(30))
    second = usage(caller.say(typed("x" * 40)) + caller.wait(30))

    assert first["promptTokenCount"] == 100 + 10
    assert second["promptTokenCount"] == 100 + 10 + first["responseTokenCount"] + 10
    assert second["totalTokenCount"] == second["promptTokenCount"] + second["responseTokenCount"]


def test_pictures_are_billed() -> None:
    caller = Caller().open()
    caller.say(realtime(video={"data": "", "mimeType": "image/png"}))

    bill = usage(caller.say(realtime(text="look")) + caller.wait(10))

    assert count(bill["promptTokensDetails"], "VIDEO") == 258


def test_thoughts_are_told_apart_and_only_where_there_are_any() -> None:
    old, new = (usage((caller := Caller().open(model)).say(typed("hi")) + caller.wait(10)) for model in (OLD, NEW))

    assert old["thoughtsTokenCount"] > 0
    assert old["totalTokenCount"] == old["promptTokenCount"] + old["responseTokenCount"]
    assert "thoughtsTokenCount" not in new


def test_an_interrupted_answer_is_billed_as_far_as_it_was_sent() -> None:
    caller = Caller().open(OLD)
    caller.speak(tone(10) + silence(0.8))
    caller.wait(0.3)  # 0.2 of them until the answer begins

    bill = usage(caller.speak(tone(0.1)))

    assert 5 <= bill["responseTokenCount"] <= 25


def test_an_answer_broken_off_before_its_first_word_has_no_tokens() -> None:
    caller = Caller().open(OLD)
    caller.say(typed("one"))

    bill = usage(caller.say(typed("two")))

    assert "responseTokenCount" not in bill
    assert bill["totalTokenCount"] == bill["promptTokenCount"]


def test_an_update_of_the_instruction_changes_the_bill() -> None:
    caller = Caller().open(systemInstruction=INSTRUCTION)
    caller.say({"contextUpdate": {"systemInstruction": {"parts": [{"text": "x" * 8}]}}})

    bill = usage(caller.say(typed("x" * 4)) + caller.wait(10))

    assert bill["promptTokenCount"] == 2 + 1


def test_a_full_context_ends_it() -> None:
    caller = Caller().open()

    for _ in range(60):
        caller.say(typed("x" * 10_000, complete=False))
    caller.say(typed("x"))

    assert caller.close == INVALID
    assert caller.line.tally.why == "context: expected at most 131072 tokens"


def test_a_compressed_context_goes_on() -> None:
    caller = Caller().open(
        contextWindowCompression={"triggerTokens": 3_000, "slidingWindow": {"targetTokens": 1_500}},
        systemInstruction=INSTRUCTION,
    )

    bills = [usage(caller.say(typed("x" * 4_000)) + caller.wait(30))["promptTokenCount"] for _ in range(12)]

    assert max(bills) < 3_000 + 100
    assert min(bills[1:]) >= 1_000
    assert bills[-1] < sum(bills[:2])


def test_a_resumable_conversation_has_a_handle_only_while_it_rests() -> None:
    caller = Caller().open(OLD, sessionResumption={})
    caller.say(typed("one"))
    caller.wait(10)
    caller.say(typed("two"))
    caller.say(typed("three"))
    caller.wait(10)

    updates = [
        out["sessionResumptionUpdate"]
        for out in caller.heard
        if isinstance(out, dict) and "sessionResumptionUpdate" in out
    ]
    assert [update["resumable"] for update in updates] == [True, False, True, False, True, False, True]
    assert all(("newHandle" in update) is update["resumable"] for update in updates)
    assert len({update["newHandle"] for update in updates if update["resumable"]}) == 4


def test_a_conversation_that_did_not_ask_hears_of_no_handles() -> None:
    caller = Caller().open()
    caller.say(typed("one"))
    caller.wait(10)

    assert "h" not in score(caller.heard) and "-" not in score(caller.heard)


def test_an_answer_that_follows_another_needs_no_rest_in_between() -> None:
    caller = Caller(Options(answer_delay=0.0)).open(OLD, sessionResumption={})
    caller.say(realtime(text="one"))
    caller.say(realtime(text="two"))

    said = caller.wait(30)

    assert "T-t" in score(said)
    assert transcript(said).endswith('You wrote "two".')
