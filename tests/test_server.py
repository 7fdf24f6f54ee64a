"""`server.py` as a person meets it: in a process of its own, with signals, exit codes and words at the terminal."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import resource
import signal
import socket
import ssl
import subprocess
import sys
import time
from base64 import b64decode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

import server
from actors.house import House
from actors.settings import Settings
from actors.supervisor import StartChild
from actors.wire.schema import schema
from tests.conftest import Gateway
from tests.doorstep import Page, page, refusal, until
from tests.test_settings import PRODUCTION, SECRET

TOP = Path(__file__).resolve().parents[1]
KEY = {"GEMINI_API_KEY": SECRET}
"""With a key there is no emulator: nothing is dialled before a call."""
PATIENCE = 40
LONG = " ".join(["hello"] * 60)
"""An emulator speaks this for five seconds."""


def environment(**environ: str) -> dict[str, str]:
    known = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {**known, **environ}


def ended(*words: str, cwd: Path = TOP, **environ: str) -> subprocess.CompletedProcess[str]:
    """`server.py` with these words, when it has ended."""
    command = [sys.executable, str(TOP / "server.py"), *words]
    return subprocess.run(
        command, env=environment(**environ), cwd=cwd, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


@dataclass
class Running:
    """`server.py`, and the first thing that it said."""

    process: subprocess.Popen[str]
    first: str = field(init=False)

    def __post_init__(self) -> None:
        assert self.process.stdout is not None
        self.first = self.process.stdout.readline().strip()

    @property
    def port(self) -> int:
        return int(self.first.split(" and ")[0].rpartition(":")[2])

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> tuple[int, str]:
        """Its exit code, and what it said to the person at the terminal."""
        _, said = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, said


@contextmanager
def started(*words: str, cwd: Path = TOP, **environ: str) -> Iterator[Running]:
    """`server.py` with these words, from its first line on."""
    pipe = subprocess.PIPE
    command = [sys.executable, str(TOP / "server.py"), *words]
    with subprocess.Popen(
        command, env=environment(**environ), cwd=cwd, stdin=pipe, stdout=pipe, stderr=pipe, text=True
    ) as process:
        try:
            yield Running(process)
        finally:
            process.kill()


def get(port: int, path: str, *, tls: ssl.SSLContext | None = None) -> tuple[int, bytes]:
    plain = http.client.HTTPConnection("localhost", port, timeout=10)
    connection = http.client.HTTPSConnection("localhost", port, timeout=10, context=tls) if tls else plain
    with contextlib.closing(connection):
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody has."""
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        yield somebody.getsockname()[1]


# ── an end that was asked for ──


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_an_empty_house_at_once(number: signal.Signals, code: int) -> None:
    with started("--port", "0", **KEY) as gateway:
        asked = time.monotonic()
        gateway.signal(number)

        assert gateway.end() == (code, "")
        assert time.monotonic() - asked < 10  # of the 25 that a drain may take


@asynccontextmanager
async def speaking(gateway: Running) -> AsyncIterator[Page]:
    """A caller to whom the model has begun to speak, for five seconds."""
    async with page(f"ws://127.0.0.1:{gateway.port}") as caller:
        await caller.begin()
        await caller.say("text", content=LONG)
        await caller.until("turn_started")
        yield caller


def seconds(caller: Page) -> float:
    """How much the caller has heard."""
    return sum(len(b64decode(audio["audioData"])) for audio in caller.said("audio")) / 48_000


async def draining(gateway: Running) -> None:
    """Until the signal that was sent has arrived."""
    while True:
        if get(gateway.port, "/ready")[0] == 503:
            return
        await asyncio.sleep(0)


async def test_a_drain_lets_the_model_finish_sends_newcomers_away_and_closes_the_door_last() -> None:
    with started("--port", "0", "--drain-seconds", "20") as gateway:
        async with speaking(gateway) as caller:
            gateway.signal(signal.SIGTERM)
            await draining(gateway)
            ready = get(gateway.port, "/ready")
            newcomer = await refusal(f"ws://127.0.0.1:{gateway.port}")
            health = get(gateway.port, "/health")
            end = await caller.end()
        code, said = gateway.end()

    assert (ready[0], orjson.loads(ready[1])["status"], orjson.loads(ready[1])["draining"]) == (503, "draining", True)
    assert (newcomer[0], newcomer[1]["Retry-After"], newcomer[2]) == (503, "10", "restarting, come back")
    assert health == (200, b"OK")
    assert end == (1012, "This server is restarting; please come back")
    assert [closed["cause"] for closed in caller.said("session_closed")] == ["drained"]
    assert seconds(caller) > 4.5
    assert (code, said) == (143, "")
    with pytest.raises(ConnectionRefusedError):
        get(gateway.port, "/health")


async def test_a_drain_ends_in_time_even_if_the_model_does_not() -> None:
    with started("--port", "0", "--drain-seconds", "3") as gateway:
        async with speaking(gateway) as caller:
            asked = time.monotonic()
            gateway.signal(signal.SIGTERM)
            end = await caller.end()
        code, _ = gateway.end()
        took = time.monotonic() - asked

    assert end[0] == 1012
    assert caller.said("session_closed")[0]["cause"] == "drained"
    assert seconds(caller) < 4
    assert code == 143
    assert took < 3 + 3  # the emulator's own end is not a part of the drain


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [(signal.SIGINT, signal.SIGINT, 130), (signal.SIGTERM, signal.SIGINT, 143)],
)
async def test_a_second_signal_ends_the_drain_and_callers_are_still_told(
    first: signal.Signals, second: signal.Signals, code: int
) -> None:
    with started("--port", "0", "--drain-seconds", "60") as gateway:
        async with speaking(gateway) as caller:
            gateway.signal(first)
            await draining(gateway)
            gateway.signal(second)
            end = await caller.end()

        assert end == (1012, "This server is restarting; please come back")
        assert caller.said("session_closed")[0]["cause"] == "drained"
        assert seconds(caller) < 4
        assert gateway.end() == (code, "")


# ── an end that nobody asked for ──


@pytest.mark.parametrize("hurry", [False, True])
async def test_a_house_that_fails_too_often_ends_with_70_and_a_sentence(
    hurry: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    house = House(Settings.from_env({**KEY, "PORT": "0"}), TOP, version="t")
    async with house.open() as door:
        for _ in range(11):
            door._inside.callers.tell(StartChild(None))  # type: ignore[arg-type]  # nobody can handle it
        await until(house.gave_up.is_set)
        code = await server._until(asyncio.get_running_loop().create_future(), house.gave_up, house.failed)

        if hurry:
            house.hurry.set()

    assert code == 70
    assert "has failed more often than it may; the log says which" in capsys.readouterr().err


def test_ctrl_c_before_anything_runs_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setitem(server.COMMANDS, "schema", interrupted)

    assert server.main(["schema"]) == 130


# ── a start that is not possible ──


def test_a_port_that_is_taken_is_a_sentence_and_69(taken: int) -> None:
    done = ended("--port", str(taken), **KEY)

    assert (done.returncode, done.stdout) == (69, "")
    assert done.stderr == f"127.0.0.1:{taken} is taken; free it, or choose another port with --port\n"


def test_so_is_a_port_for_metrics_that_is_taken(taken: int) -> None:
    done = ended("--port", "0", "--admin-port", str(taken), **KEY)

    assert (done.returncode, done.stdout) == (69, "")
    assert done.stderr == f"127.0.0.1:{taken} is taken; free it, or choose another port with --admin-port\n"


def test_a_host_that_is_not_ours_is_a_sentence_and_2() -> None:
    done = ended("--host", "192.0.2.1", "--port", "0", **KEY)

    assert done.returncode == 2
    assert done.stderr.startswith("cannot listen on 192.0.2.1:0: ")
    assert done.stderr.count("\n") == 1


def test_every_wrong_setting_is_a_line_and_nothing_secret_is_told() -> None:
    done = ended("--max-calls", "many", PORT="abc", GEMINI_API_KEY=f"{SECRET} ä", SENTRY_DSN=SECRET, VOICE="!")

    assert (done.returncode, done.stdout) == (2, "")
    assert [line.partition(":")[0] for line in done.stderr.splitlines()] == [
        *("PORT", "GEMINI_API_KEY", "VOICE", "MAX_CALLS", "SENTRY_DSN"),
    ]
    assert SECRET not in done.stderr


def test_a_key_under_a_password_is_a_line_and_no_question_at_the_terminal(tmp_path: Path) -> None:
    certificate = trustme.CA().issue_cert("localhost")
    key = load_pem_private_key(certificate.private_key_pem.bytes(), None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"open sesame"))
    (tmp_path / "key.pem").write_bytes(locked)
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    flags = ["--tls-cert-file", str(tmp_path / "cert.pem"), "--tls-key-file", str(tmp_path / "key.pem")]
    at_a_terminal = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
    done = subprocess.run(
        [sys.executable, "-c", at_a_terminal, sys.executable, str(TOP / "server.py"), *flags],
        env=environment(**KEY),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert done.returncode == 2
    assert done.stdout.startswith("TLS_CERT_FILE and TLS_KEY_FILE: expected ")
    assert "pass phrase" not in done.stdout


def test_a_dotenv_that_is_no_text_is_a_line(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("PORT=80".encode("utf-16"))
    done = ended(cwd=tmp_path, **KEY)

    assert (done.returncode, done.stderr) == (2, ".env: cannot be read, expected a file of UTF-8 text\n")


@pytest.mark.parametrize("words", [["serv"], ["--prot", "1"], ["call"], ["emulator", "--port", "x"]])
def test_wrong_arguments_are_a_line_and_2(words: list[str]) -> None:
    done = ended(*words)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "--help" in done.stderr


# ── what it says when it starts ──


def test_flags_override_the_environment_which_overrides_dotenv(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "GEMINI_LIVE_MODEL=of-dotenv\nMAX_CALLS=7\nDRAIN_SECONDS=1\nGEMINI_API_KEY='k'\nPORT=0\n"
    )
    environ = {"MAX_CALLS": "8", "DRAIN_SECONDS": "2"}
    with started("--max-calls", "9", cwd=tmp_path, **environ) as gateway:
        ready = orjson.loads(get(gateway.port, "/ready")[1])

    assert ready["maxCalls"] == 9
    assert gateway.first.endswith(" and talks to of-dotenv")
    with started(cwd=tmp_path, **environ) as gateway:
        assert orjson.loads(get(gateway.port, "/ready")[1])["maxCalls"] == 8


def test_a_misspelt_setting_is_a_line_and_no_hindrance() -> None:
    with started("--port", "0", "--gemini-api-key", "k", GEMINI_APIKEY=SECRET, MAX_CALL="3") as gateway:
        gateway.signal(signal.SIGTERM)
        code, said = gateway.end()

    assert code == 143
    assert said.splitlines() == [
        "GEMINI_APIKEY is not a setting; did you mean GEMINI_API_KEY?",
        "MAX_CALL is not a setting; did you mean MAX_CALLS?",
    ]


def test_without_a_key_it_says_that_it_talks_to_an_emulator(gateway: Gateway) -> None:
    assert orjson.loads(get(int(gateway.url.rpartition(":")[2]), "/ready")[1])["upstream"] == "emulator"


def test_in_production_metrics_are_on_their_own_port_and_it_says_on_which() -> None:
    where = {"PORT": "0", "ADMIN_HOST": "127.0.0.1", "ADMIN_PORT": "0"}
    with started(**{**PRODUCTION, **where}) as gateway:
        admin = int(gateway.first.rpartition(" ")[2])
        public, private = get(gateway.port, "/metrics"), get(admin, "/metrics")

    assert f"; metrics are on port {admin}" in gateway.first
    assert public[0] == 404
    assert private[0] == 200
    assert b"parley_loop_lag_seconds" in private[1]
    assert b"_created" not in private[1]


@pytest.mark.parametrize(
    ("host", "written"), [("127.0.0.1", "127.0.0.1:80"), ("::1", "[::1]:80"), ("localhost", "localhost:80")]
)
def test_an_address_is_written_as_urls_have_it(host: str, written: str) -> None:
    assert server.address(host, 80) == written


async def test_a_certificate_makes_it_https_and_wss(tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    client = ssl.create_default_context()
    authority.configure_trust(client)
    files = {"TLS_CERT_FILE": str(tmp_path / "cert.pem"), "TLS_KEY_FILE": str(tmp_path / "key.pem")}
    with started("--port", "0", **files, **KEY) as gateway:
        health = get(gateway.port, "/health", tls=client)
        async with page(f"wss://localhost:{gateway.port}", ssl=client) as caller:
            connected = await caller.until("connected")

    assert gateway.first.startswith("Parley is at https://127.0.0.1:")
    assert health == (200, b"OK")
    assert connected["connectionId"]


def test_it_takes_all_the_files_that_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(before[1], server.FILES) if before[1] != resource.RLIM_INFINITY else server.FILES
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
        server._allow_files()
        after = resource.getrlimit(resource.RLIMIT_NOFILE)
        monkeypatch.setattr(server, "FILES", 100)
        server._allow_files()
        again = resource.getrlimit(resource.RLIMIT_NOFILE)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)

    assert after == again == (wanted, before[1])


# ── bad input, in a real house ──


async def test_a_caller_who_talks_nonsense_is_told_so_and_still_answered(gateway: Gateway) -> None:
    nonsense: list[Any] = [
        *("garbage", '{"type":"launch"}', '{"type":"user_audio","payload":{"audioData":"!!","mimeType":"a"}}'),
        *(b"\x01\x02\x03", bytes(70 * 1024)),
        '{"type":"text","payload":' + "[" * 1_000 + "]" * 1_000 + "}",
        json.dumps({"type": "text", "payload": {f"key{n}": n for n in range(10_000)}}),
    ]
    async with page(gateway.socket) as caller:
        await caller.begin()
        for frame in nonsense:
            await caller.socket.send(frame)
        answered = await caller.is_answered()

    assert answered
    assert [error["code"] for error in caller.said("error")] == [
        *("VALIDATION_ERROR", "UNKNOWN_TYPE", *["VALIDATION_ERROR"] * 5),
    ]


# ── the other commands ──


def test_the_schema_is_json_schema() -> None:
    done = ended("schema")

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == json.loads(json.dumps(schema()))
    assert json.loads(done.stdout)["$schema"].startswith("https://json-schema.org/")


def test_who_stops_reading_the_schema_sees_no_traceback() -> None:
    with started("schema") as printing:
        assert printing.process.stdout is not None
        printing.process.stdout.close()
        assert printing.process.stderr is not None
        said = printing.process.stderr.read()

    assert printing.first == "{"
    assert said == ""


def test_a_call_to_nobody_is_a_sentence_and_1(taken: int) -> None:
    with socket.socket() as nobody:  # bound and not listening: nobody else gets the port meanwhile
        nobody.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{nobody.getsockname()[1]}"
        done = ended("call", "talk.wav", "--url", url)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"no gateway answers at {url}: connection refused\n"


def test_a_call_of_no_file_is_a_sentence_and_2() -> None:
    done = ended("call", "nothing.wav")

    assert (done.returncode, done.stderr) == (2, "cannot read nothing.wav: No such file or directory\n")


def test_a_call_is_answered_and_0(gateway: Gateway, tmp_path: Path) -> None:
    done = ended("call", "talk.wav", "--fast", "--url", gateway.socket, "--out", str(tmp_path / "reply.wav"))

    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "reply.wav").stat().st_size > 48_000


def test_ctrl_c_ends_a_call_without_a_traceback(gateway: Gateway) -> None:
    with started("call", "talk.wav", "--url", gateway.socket) as call:
        call.signal(signal.SIGINT)
        code, said = call.end()

    assert (code, said) == (130, "")


def test_an_emulator_says_where_it_is_and_ends_when_asked() -> None:
    with started("emulator") as emulator:
        assert emulator.process.stdout is not None
        second = emulator.process.stdout.readline()
        emulator.signal(signal.SIGTERM)
        end = emulator.end()

    assert emulator.first.startswith("Gemini Live emulator on https://127.0.0.1:")
    assert second.startswith("CA certificate in ")
    assert not Path(second.removeprefix("CA certificate in ").strip()).exists()
    assert end == (143, "")


def test_an_emulator_whose_port_is_taken_is_a_sentence_and_69(taken: int) -> None:
    done = ended("emulator", "--port", str(taken))

    assert (done.returncode, done.stdout) == (69, "")
    assert done.stderr == f"127.0.0.1:{taken} is taken; free it, or choose another port with --port\n"


def test_an_emulator_on_a_leash_ends_with_whoever_held_it() -> None:
    with started("emulator", "--leashed") as emulator:
        assert emulator.process.stdin is not None
        emulator.process.stdin.close()
        emulator.process.stdin = None
        end = emulator.end()

    assert end == (0, "")
