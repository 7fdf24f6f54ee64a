"""deploy/: the image's steps are done in a clean folder, and what they make is started and asked.

    deploy/Dockerfile ──▶ Image ──▶ folder, libraries, environment ──▶ a process ──▶ GET /health

No container is needed: `tests/dockerfile.py` reads the Dockerfile and does what it says.
"""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import pytest

from actors.settings import Settings
from tests.dockerfile import Image, is_sent

TOP = Path(__file__).parent.parent
DOCKERFILE = TOP / "deploy" / "Dockerfile"
FLY = tomllib.loads((TOP / "deploy" / "fly.toml").read_text())

INSTALLING = 300  # seconds, on a slow line
STARTING = 30  # seconds until the health check has to succeed
PRODUCTION = {
    "ALLOWED_ORIGINS": "https://example.com",
    "GEMINI_API_KEY": "not-a-real-key",
    "BUDGET_USD_PER_DAY": "unlimited",
}

pytestmark = pytest.mark.timeout(INSTALLING)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    image = Image(tmp_path_factory.mktemp("image"), TOP)
    image.follow(DOCKERFILE.read_text())
    return image


@contextmanager
def running(image: Image, env: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """The image's command, from the moment it is healthy."""
    process = image.start(env)
    try:
        deadline = time.monotonic() + STARTING
        while not image.is_healthy(env):
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline, "the health check has not succeeded in time"
        yield process
    finally:
        process.kill()
        process.communicate()


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


def get(port: str, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_what_the_dockerfile_makes_answers_in_production_and_leaves_on_sigterm(image: Image) -> None:
    port = free_port()
    with running(image, image.environment(**PRODUCTION, PORT=port, ADMIN_PORT=free_port())) as house:
        answer = get(port, "/health")
        house.send_signal(image.stop)
        code = house.wait(timeout=FLY["kill_timeout"])

    assert answer == (200, b"OK")
    assert code == 128 + signal.SIGTERM


def test_the_image_refuses_to_start_without_what_production_needs(image: Image) -> None:
    house = image.start(image.environment(PORT=free_port(), ADMIN_PORT=free_port()))
    said, _ = house.communicate(timeout=STARTING)

    assert house.returncode == 2
    assert "BUDGET_USD_PER_DAY" in said
    assert "Traceback" not in said


def test_the_image_holds_what_runs_and_nothing_else(image: Image) -> None:
    libraries = next((image.root / "base" / "lib").glob("python3*/site-packages"))
    sent = {path.name for path in image.here.iterdir()} - {"__pycache__"}

    assert sent == {"actors", "requirements.lock", "server.py", "web"}
    assert (libraries / "pykka").exists()
    assert not (libraries / "pytest").exists()


def test_the_image_runs_as_a_user_who_is_not_root(image: Image) -> None:
    assert image.user.split(":")[0].isdigit()
    assert image.user.split(":")[0] != "0"


def test_fly_speaks_to_the_ports_the_image_opens(image: Image) -> None:
    assert image.ports == [image.env["PORT"], image.env["ADMIN_PORT"]]
    assert str(FLY["http_service"]["internal_port"]) == image.env["PORT"]
    assert str(FLY["metrics"]["port"]) == image.env["ADMIN_PORT"]


def test_fly_never_suspends_a_live_call() -> None:
    service = FLY["http_service"]

    assert service["auto_stop_machines"] == "off"
    assert service["min_machines_running"] >= 1
    assert service["concurrency"]["type"] == "connections"


def test_fly_lets_a_drain_end_by_itself() -> None:
    assert FLY["kill_signal"] == "SIGTERM"
    assert FLY["kill_timeout"] >= Settings.model_fields["drain_seconds"].default + 5


def test_fly_sends_no_new_callers_to_a_machine_that_drains() -> None:
    assert [check["path"] for check in FLY["http_service"]["checks"]] == ["/ready"]
    assert FLY["deploy"]["strategy"] == "rolling"


def test_fly_sends_callers_away_only_after_the_gateway_itself_would() -> None:
    assert FLY["http_service"]["concurrency"]["hard_limit"] > Settings.model_fields["max_calls"].default


def test_flys_settings_and_a_key_are_all_that_the_image_needs(image: Image) -> None:
    env = {**image.env, **FLY["env"], "GEMINI_API_KEY": "not-a-real-key"}

    assert Settings.from_env(env).environment == "production"


def test_flys_configuration_names_the_dockerfile_beside_it() -> None:
    assert TOP / "deploy" / FLY["build"]["dockerfile"] == DOCKERFILE


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("server.py", True),
        ("actors/wire/parse.py", True),
        ("actors/wire/__pycache__/parse.pyc", False),
        ("tests/test_deploy.py", False),
        (".env", False),
        ("talk.wav", False),
    ],
)
def test_the_image_is_made_from_what_it_needs(path: str, sent: bool) -> None:
    rules = (TOP / ".dockerignore").read_text().split("\n")[1:-1]

    assert is_sent(PurePosixPath(path), rules) is sent
