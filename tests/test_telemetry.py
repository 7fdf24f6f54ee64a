"""What is told about a crash is enough to find it, holds nothing private, and costs nothing when nobody listens."""

from __future__ import annotations

import gzip
import io
import json
import logging
import queue
import socket
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import MappingProxyType
from typing import Any, ClassVar

import pytest
import sentry_sdk
import structlog
from google.genai.types import FinishReason
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from actors import telemetry
from actors.call.checkpoint import CallCheckpoint
from actors.metrics import Metrics
from actors.runtime import Where
from actors.settings import Settings
from actors.supervision import Crash
from actors.telemetry import SAME_EVERY, SHAPES, Reporter, Scrubber
from tests.fakes import Clock

SPOKEN = "my card number is 4111"
KEY = "an-odd-key-of-our-own"
SECRETS = [
    "AIzaSyA-1234567890_abcdefghij",
    "AQ.Ab8RN6K_abcdef-ghijkl",
    "auth_tokens/0a1b2c3d",
    "eyJhbGciOi.eyJzdWIi.c2lnbmF0dXJl",
    KEY,
]


class Failure(Exception):
    """Something of ours that went wrong."""


def failed(text: str = "") -> Failure:
    """An error as it is caught: with the frames, and the local variables, that it passed."""
    spoken, audio, api_key = SPOKEN, SPOKEN.encode(), KEY
    try:
        if spoken and audio and api_key:
            raise Failure(text)
    except Failure as error:
        return error
    raise AssertionError


def crash(error: Exception | None = None, **changes: Any) -> Crash:
    known: dict[str, Any] = {
        "actor": "ConnectionActor",
        "name": "conn_1",
        "where": Where.MESSAGE,
        "kind": "Heard",
        "error": error or failed(),
        "restarts": 2,
        "kinds": ("Start", "Opened", "Heard"),
        "checkpoint": CallCheckpoint(call="call_7", model="gemini-live", session_id="sess_secret"),
        "comes_back": True,
    }
    return Crash(**{**known, **changes})


class Capturing(Transport):
    """A transport that keeps what it is given, as it would have been sent."""

    def __init__(self, options: dict[str, Any]) -> None:
        super().__init__(options)
        self.envelopes: list[Envelope] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.envelopes.append(envelope)

    @property
    def events(self) -> list[dict[str, Any]]:
        found = (envelope.get_event() for envelope in self.envelopes)
        return [json.loads(json.dumps(event)) for event in found if event is not None]


def settings(**environ: str) -> Settings:
    return Settings.from_env({"GEMINI_API_KEY": KEY, **environ})


SetUp = Callable[..., None]


@pytest.fixture
def set_up(monkeypatch: pytest.MonkeyPatch) -> Iterator[SetUp]:
    """`telemetry.set_up`, of which nothing is left when the test is over."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    quiet = {name: logging.getLogger(name).level for name in ("websockets", "httpx", "aiohttp.access", "google_genai")}

    def configured(**environ: str) -> None:
        telemetry.set_up(settings(**environ), version="1.2.3")
        monkeypatch.setattr(telemetry, "log", structlog.get_logger("parley"))  # the other one remembers its set-up

    yield configured
    sentry_sdk.get_client().close(timeout=0)
    sentry_sdk.get_global_scope().set_client(None)
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in quiet.items():
        logging.getLogger(name).setLevel(before)


@pytest.fixture
def sent(set_up: SetUp) -> Capturing:
    """A real client, whose transport goes nowhere."""
    set_up(SENTRY_DSN="http://public@127.0.0.1:9/1", SENTRY_ENVIRONMENT="staging")
    client = sentry_sdk.get_client()
    assert client.transport is not None
    client.transport.kill()
    client.transport = Capturing(client.options)
    return client.transport


# ── what is sent ─────────────────────────────────────────────────────────────────────────────────


def test_an_event_is_tagged_and_fingerprinted_so_that_it_can_be_found(sent: Capturing) -> None:
    event_id = Reporter(Metrics())(crash())

    (event,) = sent.events
    assert event["event_id"] == event_id
    assert event["fingerprint"] == ["ConnectionActor", "Heard", "Failure"]
    assert event["tags"] == {
        "actor": "ConnectionActor",
        "where": "on_receive",
        "message": "Heard",
        "restarts": 2,
        "call": "call_7",
        "model": "gemini-live",
    }
    assert (event["release"], event["environment"]) == ("parley@1.2.3", "staging")


def test_a_link_is_found_by_the_call_in_its_name(sent: Capturing) -> None:
    Reporter(Metrics())(crash(actor="LinkActor", name="conn_1/call_7", checkpoint=None))

    assert sent.events[0]["tags"]["call"] == "call_7"


def test_an_actor_of_the_house_has_no_call(sent: Capturing) -> None:
    Reporter(Metrics())(crash(actor="RateLimiterActor", name="rate limiter", checkpoint=None))

    tags = sent.events[0]["tags"]
    assert (tags["call"], tags["model"]) == ("none", "none")


def test_breadcrumbs_are_the_kinds_of_the_last_messages_and_nothing_else(sent: Capturing) -> None:
    logging.getLogger("elsewhere").warning(SPOKEN)
    Reporter(Metrics())(crash())

    crumbs = sent.events[0]["breadcrumbs"]["values"]
    assert [crumb["message"] for crumb in crumbs] == ["Start", "Opened", "Heard"]
    assert {key for crumb in crumbs for key in crumb} <= {"category", "message", "level", "timestamp", "type"}


def test_one_crash_leaves_nothing_behind_for_the_next(sent: Capturing) -> None:
    report = Reporter(Metrics())
    report(crash())
    report(crash(actor="LinkActor", kinds=("Speech",)))

    assert [crumb["message"] for crumb in sent.events[1]["breadcrumbs"]["values"]] == ["Speech"]
    assert sent.events[1]["fingerprint"][0] == "LinkActor"


def test_an_event_holds_neither_local_variables_nor_whose_call_it_was(sent: Capturing) -> None:
    Reporter(Metrics())(crash())

    (event,) = sent.events
    frames = event["exception"]["values"][0]["stacktrace"]["frames"]
    assert frames[-1]["function"] == "failed"
    assert all("vars" not in frame for frame in frames)
    assert not event.keys() & {"user", "request", "extra", "modules"}
    assert "sess_secret" not in json.dumps(event)


@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_travels_inside_an_exceptions_text(sent: Capturing, secret: str) -> None:
    error = failed(f"GET https://host/v1?alt=ws&key={secret}&x=1 failed, 'Authorization: Bearer {secret}'")
    error.__cause__ = failed(f"because of {secret}")
    Reporter(Metrics())(crash(error))

    (event,) = sent.events
    texts = [value["value"] for value in event["exception"]["values"]]
    assert len(texts) == 2
    assert all(secret not in text and "[scrubbed]" in text for text in texts)
    assert "&x=1 failed" in texts[-1]


def test_no_integration_is_installed_and_nothing_is_captured_by_itself(sent: Capturing) -> None:
    logging.getLogger("elsewhere").error("something", exc_info=failed())

    client = sentry_sdk.get_client()
    assert client.integrations == {}
    assert client.options["traces_sample_rate"] is None
    assert client.options["enable_metrics"] is False
    assert sent.envelopes == []


# ── how often ────────────────────────────────────────────────────────────────────────────────────


def test_the_same_crash_is_captured_once_in_ten_seconds_and_counted_always(sent: Capturing) -> None:
    clock, metrics = Clock(), Metrics()
    report = Reporter(metrics, clock=clock)
    told = []
    for _ in range(21):
        told.append(report(crash()))
        clock.advance(SAME_EVERY / 10)

    assert [number for number, event_id in enumerate(told) if event_id is not None] == [0, 10, 20]
    assert len(sent.events) == 3
    labels = b'parley_actor_restarts_total{actor="ConnectionActor",exception="Failure"}'
    assert labels + b" 21.0" in metrics.text()


@pytest.mark.parametrize("changes", [{"actor": "LinkActor"}, {"kind": "Said"}, {"error": KeyError()}], ids=repr)
def test_another_crash_does_not_wait_for_it(sent: Capturing, changes: dict[str, Any]) -> None:
    report = Reporter(Metrics(), clock=Clock())
    report(crash())
    report(crash(**changes))

    assert len(sent.events) == 2


def test_what_does_not_come_back_is_captured_and_is_no_restart(sent: Capturing) -> None:
    metrics = Metrics()
    Reporter(metrics)(crash(comes_back=False))

    assert len(sent.events) == 1
    assert b"parley_actor_restarts_total{" not in metrics.text()


def test_what_is_remembered_of_crashes_is_bounded(sent: Capturing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "FINGERPRINTS", 5)
    report = Reporter(Metrics(), clock=Clock())
    for number in range(12):
        report(crash(kind=str(number)))

        assert len(report._captured) <= 5
    assert len(sent.events) == 12


# ── where it is sent ─────────────────────────────────────────────────────────────────────────────


class Intake(BaseHTTPRequestHandler):
    """What Sentry's ingestion does, as far as a client can tell: it says 200."""

    bodies: ClassVar[queue.Queue[tuple[str, bytes]]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")
        self.bodies.put((self.path, body))

    def log_message(self, format: str, *args: Any) -> None:
        """No line for each request."""


@pytest.fixture
def intake() -> Iterator[type[Intake]]:
    """A receiver on loopback; `port` is where."""
    handler = type("Here", (Intake,), {"bodies": queue.Queue()})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        handler.port = server.server_port  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield handler
        server.shutdown()
        thread.join()


async def test_an_envelope_arrives_over_http_and_holds_no_secret(set_up: SetUp, intake: Any) -> None:
    set_up(SENTRY_DSN=f"http://public@127.0.0.1:{intake.port}/42")
    event_id = Reporter(Metrics())(crash(failed(f"key={KEY} {SECRETS[0]}")))
    await telemetry.flush()

    path, body = intake.bodies.get(timeout=10)
    assert path == "/api/42/envelope/"
    envelope = Envelope.deserialize_from(io.BytesIO(body))
    event = envelope.get_event()
    assert event is not None
    assert event["event_id"] == event_id
    for private in (SPOKEN, *SECRETS):
        assert private.encode() not in body


def test_nobody_at_the_dsn_costs_nothing(set_up: SetUp) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # it takes a connection, and never answers
        set_up(SENTRY_DSN=f"http://public@127.0.0.1:{deaf.getsockname()[1]}/1")
        report, began = Reporter(Metrics()), time.perf_counter()
        told = [report(crash(kind=str(number))) for number in range(200)]
        elapsed = time.perf_counter() - began

    assert all(event_id is not None for event_id in told)
    assert elapsed < 5.0, "somebody waited; a request is given up after thirty seconds"
    sentry_sdk.flush(30.0)  # for the sake of the next test: nobody is there now, so what waits soon fails


async def test_without_a_dsn_there_is_no_event_and_no_error(set_up: SetUp) -> None:
    set_up()
    report = Reporter(Metrics())

    assert report(crash()) is None
    await telemetry.flush()


# ── log lines ────────────────────────────────────────────────────────────────────────────────────


def test_a_crash_is_a_line_of_json(set_up: SetUp, capsys: pytest.CaptureFixture[str]) -> None:
    set_up(LOG_FORMAT="json")
    Reporter(Metrics())(crash(failed(SPOKEN)))

    (line,) = capsys.readouterr().err.splitlines()
    said = json.loads(line)
    assert said.pop("timestamp").endswith("Z")
    assert said == {
        "event": "crash",
        "level": "error",
        "actor": "ConnectionActor",
        "where": "on_receive",
        "kind": "Heard",
        "error": "Failure",
        "back": True,
    }


def test_a_crash_is_a_line_for_the_eye(set_up: SetUp, capsys: pytest.CaptureFixture[str]) -> None:
    set_up(LOG_FORMAT="console")
    Reporter(Metrics())(crash(failed(SPOKEN)))

    (line,) = capsys.readouterr().err.splitlines()
    assert "crash" in line
    assert "actor=ConnectionActor" in line
    assert SPOKEN not in line
    assert "\x1b" not in line, "colours, though this is no terminal"


def test_lines_are_json_where_there_is_no_terminal(set_up: SetUp, capsys: pytest.CaptureFixture[str]) -> None:
    set_up()
    logging.getLogger("library").warning("hello %s", "world")

    said = json.loads(capsys.readouterr().err)
    assert (said["event"], said["level"]) == ("hello world", "warning")


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize("secret", SECRETS)
def test_no_line_holds_a_secret_wherever_it_stood(
    set_up: SetUp, capsys: pytest.CaptureFixture[str], form: str, secret: str
) -> None:
    set_up(LOG_FORMAT=form)
    error = failed(f'cannot reach "wss://host/ws?key={secret}"')
    logging.getLogger("library").error("with %s", secret, exc_info=error)
    ours = structlog.get_logger("parley")
    ours.error(f"with {secret}", member=secret, deep={"in": [secret]}, error=error, exc_info=error)

    said = capsys.readouterr().err
    assert secret not in said
    assert said.count("cannot reach") == 3
    if form == "json":
        assert all("Traceback" in json.loads(line)["exception"] for line in said.splitlines())


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_traceback_shows_no_local_variable(set_up: SetUp, capsys: pytest.CaptureFixture[str], form: str) -> None:
    set_up(LOG_FORMAT=form)
    logging.getLogger("library").error("failed", exc_info=failed())

    said = capsys.readouterr().err
    assert "Failure" in said
    assert SPOKEN not in said


@pytest.mark.parametrize(("level", "heard"), [("debug", 2), ("info", 2), ("warning", 1), ("error", 0)])
def test_less_than_the_level_is_no_line(
    set_up: SetUp, capsys: pytest.CaptureFixture[str], level: str, heard: int
) -> None:
    set_up(LOG_LEVEL=level)
    for logger in (structlog.get_logger("parley"), logging.getLogger("actors.link")):
        logger.warning("w")
        logger.info("i")

    assert len(capsys.readouterr().err.splitlines()) == 2 * heard


@pytest.mark.parametrize("library", ["websockets.client", "httpx", "google_genai.live", "aiohttp.access"])
def test_libraries_that_print_what_they_carry_are_heard_from_warnings_on(
    set_up: SetUp, capsys: pytest.CaptureFixture[str], library: str
) -> None:
    set_up(LOG_LEVEL="debug", LOG_FORMAT="json")
    logger = logging.getLogger(library)
    logger.debug("> x-goog-api-key: %s", KEY)
    logger.info("connected")
    logger.warning("lost")

    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["event"] == "lost"


def test_no_library_is_heard_at_debug(set_up: SetUp, capsys: pytest.CaptureFixture[str]) -> None:
    set_up(LOG_LEVEL="debug")
    logging.getLogger("some.library").debug("everything that was said")

    assert capsys.readouterr().err == ""


# ── the scrubber ─────────────────────────────────────────────────────────────────────────────────


def test_secrets_are_blotted_out_at_any_depth_and_the_rest_stays() -> None:
    event: Any = {"a": [f"x {KEY} y", 7, None, (KEY, True)], "b": MappingProxyType({"c": {"d": SECRETS[0]}})}

    scrubbed = Scrubber([KEY]).event(event, {})
    assert scrubbed == {"a": ["x [scrubbed] y", 7, None, ["[scrubbed]", True]], "b": {"c": {"d": "[scrubbed]"}}}


def test_a_secret_as_short_as_a_word_does_not_blot_out_the_language() -> None:
    assert Scrubber(["", "a", "key"]).line(None, "", "a key is a word") == "a key is a word"


@pytest.mark.parametrize("known", [[], [KEY]])
def test_ordinary_sentences_are_left_alone(known: list[str]) -> None:
    sentence = "connection to wss://host/ws?alt=sse failed: AQI 12, bearers were tired, monkey=1, FAQ.see_section_ten"

    assert Scrubber(known).line(None, "", sentence) == sentence


def test_a_scrubbed_line_of_json_is_still_json() -> None:
    line = json.dumps({"event": f'"?key={SECRETS[0]}" and "Bearer {SECRETS[3]}"\n{SECRETS[1]}', "é": "\\"})

    assert json.loads(Scrubber().line(None, "", line))["é"] == "\\"
    assert len(SHAPES) == 6


def test_a_value_of_geminis_that_the_sdk_does_not_know_is_not_repeated(set_up: SetUp) -> None:
    set_up()

    with warnings.catch_warnings(record=True) as said:
        FinishReason("SOMETHING_PRIVATE")

    assert said == []
