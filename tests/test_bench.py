"""The bench measures what it says it measures, and sees what goes wrong. Its figures are nobody's business here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pybase64 import b64decode, b64encode
from websockets.asyncio.server import ServerConnection, serve

from actors.live.audio_frames import audio_frame, plain_speech
from actors.messages import Audio
from actors.replies import Sound
from actors.wire.parse import parse
from actors.wire.write import write_text
from bench import callers, relay
from bench.caller import NoCall
from bench.figures import ROWS, Measured, percentile, rows, table
from bench.frames import DOWN_BYTES, UP_BYTES, Tally, echo, faults, sound_in, up_binary, up_json
from bench.gauge import Gone, busy_seconds, cpu_seconds, machine, resident_bytes, usable
from bench.processes import Cores

TOP = Path(__file__).resolve().parents[1]
QUICK_SECONDS = 55
LIVE = pytest.mark.skipif(not usable(), reason="the bench reads /proc and CPU clocks, which Linux has")


# ── frames ───────────────────────────────────────────────────────────────────────────────────────

NUMBERS = st.integers(min_value=0, max_value=2**32 - 1)


def heard(call: int, number: int) -> tuple[bytes, int]:
    """Stamp and size of the answer to a frame, as it comes out of a gateway in JSON."""
    answer = echo(audio_frame(up_binary(call, number)))
    assert answer is not None
    sounds = plain_speech(answer)
    assert sounds is not None
    found = sound_in(write_text(Sound(sounds[0])))
    assert found is not None
    return found


def tally(sent: int, came: Sequence[int]) -> Tally:
    """A call that sent so many frames and heard the answers to these."""
    kept = Tally(7, sent=sent)
    for number in came:
        kept.hear(*heard(7, number))
    return kept


@given(NUMBERS, NUMBERS)
def test_a_frame_is_the_same_sound_in_json_and_in_binary(call: int, number: int) -> None:
    in_binary, in_json = parse(up_binary(call, number)), parse(up_json(call, number).decode())

    assert isinstance(in_binary, Audio)
    assert in_binary == in_json
    assert len(in_binary.pcm) == UP_BYTES


@given(NUMBERS, st.integers(min_value=0, max_value=2**32 - 2))
def test_the_answer_to_a_frame_is_known_again_whoever_wrote_the_frames_between(call: int, number: int) -> None:
    kept = Tally(call, sent=number + 1, _next=number)
    kept.hear(*heard(call, number))

    assert (kept.heard, kept.lost, kept.late, kept.strange) == (1, 0, 0, 0)


def test_the_answer_to_a_frame_is_twenty_milliseconds_of_the_models_sound() -> None:
    answer = echo(json.dumps({"realtimeInput": {"audio": {"data": b64encode(up_binary(1, 2)).decode()}}}).encode())

    assert answer is not None
    assert [len(pcm) for pcm in plain_speech(answer) or ()] == [DOWN_BYTES]


@pytest.mark.parametrize("message", [b'{"realtime_input":{"audio_stream_end":true}}', b"", b"{}"])
def test_what_has_no_sound_has_no_answer(message: bytes) -> None:
    assert echo(message) is None


def test_a_message_without_sound_is_left_to_whoever_reads_words() -> None:
    assert sound_in(b'{"type":"audio_gone","payload":{}}') is None
    assert sound_in(b'{"type":"heartbeat","timestamp":1}') is None


@pytest.mark.parametrize("size", [0, 1, 2, 3, 958, 960])
def test_the_bytes_of_sound_are_counted_without_decoding_it(size: int) -> None:
    found = sound_in(write_text(Sound(bytes(size))))

    assert found is not None
    assert found[1] == size


@pytest.mark.parametrize(
    ("came", "heard", "lost", "late", "strange"),
    [
        ([0, 1, 2, 3], 4, 0, 0, 0),
        ([], 0, 4, 0, 0),
        ([0, 1], 2, 2, 0, 0),
        ([0, 3], 2, 2, 0, 0),
        ([3], 1, 3, 0, 0),
        ([0, 2, 1, 3], 4, 0, 1, 0),
        ([3, 2, 1, 0], 4, 0, 3, 0),
        ([0, 1, 1, 2, 3], 4, 0, 0, 1),
        ([0, 2, 1, 1, 3], 4, 0, 1, 1),
        ([0, 1, 2, 3, 4], 4, 0, 0, 1),
    ],
)
def test_every_frame_is_heard_once_and_in_its_place_or_it_is_told(
    came: list[int], heard: int, lost: int, late: int, strange: int
) -> None:
    kept = tally(4, came)

    assert (kept.heard, kept.lost, kept.late, kept.strange) == (heard, lost, late, strange)


@given(st.permutations(range(8)))
def test_frames_in_any_order_are_not_lost(came: list[int]) -> None:
    kept = tally(8, came)

    assert (kept.heard, kept.lost, kept.strange) == (8, 0, 0)
    assert (kept.late > 0) == (came != sorted(came))


@pytest.mark.parametrize(
    ("stamp", "size"),
    [
        (heard(8, 0)[0], DOWN_BYTES),
        (heard(7, 0)[0], DOWN_BYTES - 2),
        (bytes(12), DOWN_BYTES),
        (b"", DOWN_BYTES),
    ],
)
def test_a_frame_of_another_call_or_another_size_is_not_taken_for_ours(stamp: bytes, size: int) -> None:
    kept = Tally(7, sent=1)
    kept.hear(stamp, size)

    assert (kept.heard, kept.lost, kept.strange) == (0, 1, 1)


def test_what_went_wrong_is_told_in_words_and_nothing_else_is() -> None:
    well, worse = tally(4, [0, 1, 2, 3]), tally(4, [0, 3, 3, 2])

    assert faults([well, well]) == []
    assert faults([well, worse]) == [
        "1 of 8 frames lost, in 1 of 2 calls",
        "1 of 8 frames out of order, in 1 of 2 calls",
        "1 of 8 frames never sent by the call that heard them, or heard twice, in 1 of 2 calls",
    ]


# ── figures ──────────────────────────────────────────────────────────────────────────────────────


def measured(scale: float, *said: str) -> Measured:
    return Measured(
        json_us=10 * scale,
        binary_us=20 * scale,
        quiet_kb=30 * scale,
        start_ms=(1.0, 2.0, 40 * scale),
        start_cpu_ms=scale,
        frames=100,
        busy=0.5,
        late_ms=1.0,
        faults=said,
    )


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        ([5.0], 50, 5.0),
        ([5.0], 99, 5.0),
        ([4, 1, 3, 2], 50, 2),
        ([4, 1, 3, 2], 75, 3),
        ([3, 1, 2], 50, 2),
        (range(1, 101), 99, 99),
    ],
)
def test_a_percentile_is_one_of_the_values(values: Sequence[float], percent: float, expected: float) -> None:
    assert percentile(values, percent) == expected


def test_nothing_has_no_percentile() -> None:
    with pytest.raises(ValueError, match="at least one"):
        percentile([], 50)


def test_figures_are_medians_and_the_ratio_is_that_of_rounds_that_belong_together() -> None:
    found = rows([(measured(2), measured(1)), (measured(40), measured(10)), (measured(60), measured(20))])
    row = found[0]

    assert (row.gateway, row.floor) == (400, 100)
    assert (row.lowest, row.ratio, row.highest) == (2, 3, 4)


def test_a_floor_of_nothing_is_no_reason_to_fail() -> None:
    assert "nan" in table(rows([(measured(1), measured(0))]))


def test_the_table_has_a_line_for_every_row_and_all_are_aligned() -> None:
    head, *lines = table(rows([(measured(1234), measured(1000))])).splitlines()

    assert [line.startswith(name) for line, (name, _, _) in zip(lines, ROWS, strict=True)] == [True] * len(ROWS)
    assert {line.index("×") for line in lines} == {head.index("ratio") + len("rati")}


# ── the machine ──────────────────────────────────────────────────────────────────────────────────


@LIVE
def test_cpu_time_is_that_of_the_process_asked_for() -> None:
    before = cpu_seconds(os.getpid())
    sum(range(1_000_000))

    assert before < cpu_seconds(os.getpid())
    assert cpu_seconds(os.getpid()) == pytest.approx(sum(os.times()[:2]), abs=0.1)


@LIVE
def test_memory_is_what_is_in_use() -> None:
    before = resident_bytes(os.getpid())
    block = bytearray(os.urandom(1)) * 32_000_000

    assert resident_bytes(os.getpid()) - before == pytest.approx(len(block), rel=0.1)


@LIVE
def test_who_has_ended_is_told_apart_from_who_does_nothing() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()

    for look in (cpu_seconds, resident_bytes):
        with pytest.raises(Gone):
            look(ended.pid)


@LIVE
def test_the_machine_is_named_as_far_as_it_matters() -> None:
    assert set(machine()) == {"cpu", "system", "python", "libraries"}
    assert busy_seconds(min(os.sched_getaffinity(0))) > 0


@LIVE
def test_the_subject_is_alone_where_there_is_more_than_one_core() -> None:
    cores = Cores.here()

    assert cores.subject == {max(os.sched_getaffinity(0))}
    assert cores.apart == (len(os.sched_getaffinity(0)) > 1)
    assert cores.subject | cores.others == os.sched_getaffinity(0)


# ── the callers ──────────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def subject(*, dropped: int | None = None, refused: int | None = None) -> AsyncIterator[callers.Subject]:
    """A gateway of our own that loses every frame of this number, and does not let in who comes at this place."""
    visits = 0

    async def call(caller: ServerConnection) -> None:
        nonlocal visits
        place, visits = visits - callers.WARM, visits + 1
        await caller.send('{"type":"connected","payload":{"connectionId":"1"}}')
        await caller.recv()
        if place == refused:
            await caller.send('{"type":"error","payload":{"code":"FULL","message":"full"}}')
            return
        await caller.send('{"type":"session_started","payload":{}}')
        async for frame in caller:
            pcm = frame if isinstance(frame, bytes) else b64decode(orjson.loads(frame)["payload"]["audioData"])
            if int.from_bytes(pcm[8:12], "big") != dropped:
                sound = Sound(pcm[:12] + bytes(DOWN_BYTES - 12))
                await caller.send(sound.pcm if isinstance(frame, bytes) else write_text(sound).decode())

    async with serve(call, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield callers.Subject(f"ws://127.0.0.1:{port}", os.getpid())


@LIVE
async def test_callers_count_what_was_lost_on_either_wire(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callers, "LOOKS", 3)
    async with subject(dropped=2) as leaky:
        found = await callers.measure(leaky, calls=2, seconds=0.2)

    assert found.faults == ("2 of 10 frames lost, in 2 of 2 calls",) * 2
    assert found.frames == 36
    assert len(found.start_ms) == 4


@LIVE
async def test_a_call_that_does_not_start_is_told_and_the_others_are_measured() -> None:
    async with subject(refused=1) as choosy:
        found = await callers.measure(choosy, calls=3, seconds=0.2)

    assert found.faults == ("1 of 3 calls did not start: the socket closed before session_started FULL",)
    assert len(found.start_ms) == 5


@LIVE
async def test_where_nobody_answers_nothing_is_measured() -> None:
    with pytest.raises(NoCall, match="no socket"):
        await callers.measure(callers.Subject("ws://127.0.0.1:1", os.getpid()), calls=1, seconds=0.1)


async def test_callers_speak_in_turn_and_at_their_times() -> None:
    said: list[tuple[str, int]] = []

    class Mouth:
        def __init__(self, name: str) -> None:
            self.name = name

        def say(self, number: int) -> None:
            said.append((self.name, number))

    late = await callers._speak([Mouth("a"), Mouth("b")], 3)  # type: ignore[list-item]

    assert said == [("a", 0), ("b", 0), ("a", 1), ("b", 1), ("a", 2), ("b", 2)]
    assert late >= 0


# ── all of it ────────────────────────────────────────────────────────────────────────────────────


def test_who_comes_first_changes_from_round_to_round() -> None:
    assert [relay.order(number)[0] for number in (1, 2, 3)] == ["gateway", "floor A", "gateway"]


def test_a_round_in_which_one_failed_is_not_compared() -> None:
    done = [
        relay.Round("gateway", 1, measured(1)),
        relay.Round("floor A", 1, None, failure="did not start"),
        relay.Round("floor A", 2, measured(3)),
        relay.Round("gateway", 2, measured(2, "1 of 8 frames lost, in 1 of 2 calls")),
    ]

    assert relay.pairs(done) == [(done[3].measured, done[2].measured)]
    assert [fault for each in done for fault in each.faults] == [
        "floor A, round 1: did not start",
        "gateway, round 2: 1 of 8 frames lost, in 1 of 2 calls",
    ]
    assert "no round in which both were measured" in relay.reported(done[:2])


@pytest.mark.parametrize("wrong", ["--calls=0", "--seconds=-1", "--seconds=nan", "--seconds=inf", "--rounds=x"])
def test_a_size_that_measures_nothing_is_refused(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        relay.main([wrong])

    assert ended.value.code == 2
    assert wrong.partition("=")[0] in capsys.readouterr().err


@LIVE
def test_a_quick_run_loses_nothing_and_prints_every_row(tmp_path: Path) -> None:
    kept = tmp_path / "relay.json"
    command = [sys.executable, "bench/relay.py", "--quick", "--json", str(kept)]
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, timeout=QUICK_SECONDS, check=False)
    found = orjson.loads(kept.read_bytes())

    assert (done.returncode, found["faults"]) == (0, []), done.stdout + done.stderr
    assert [row["name"] for row in found["rows"]] == [name for name, _, _ in ROWS]
    assert all(any(line.startswith(name) for line in done.stdout.splitlines()) for name, _, _ in ROWS)
    assert [each["measured"]["frames"] for each in found["rounds"]] == [2 * 2 * 8 * 50] * 2
