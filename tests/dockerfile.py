"""A Dockerfile, done without a container, for the test of ours.

    text ──▶ instructions ──▶ Image.follow ──▶ a folder, an environment, a command ──▶ Image.start ──▶ a process

Paths of the image lie below a folder; the base image is a new virtual environment of the Python that runs the tests;
a user is noted, not become. It knows the words that deploy/Dockerfile uses and refuses all others, so that no line
of that file goes untested unnoticed.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Each instruction of a Dockerfile: its word, and the rest with continued lines joined."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        word, _, rest = line.strip().partition(" ")
        yield word, rest.strip()


def is_sent(path: PurePosixPath, rules: list[str]) -> bool:
    """Whether a .dockerignore lets `path` through: the last rule about it, or about a folder above it, decides."""
    sent = True
    for rule in rules:
        if any(_matches(place, rule.removeprefix("!")) for place in (path, *path.parents)):
            sent = rule.startswith("!")
    return sent


def _matches(path: PurePosixPath, pattern: str) -> bool:
    if pattern.startswith("**/"):
        return path.match(pattern.removeprefix("**/"))
    return len(path.parts) == pattern.count("/") + 1 and path.match(pattern)


class Image:
    """What `docker build` would make of a Dockerfile and the folder `context`, below the folder `root`."""

    def __init__(self, root: Path, context: Path) -> None:
        self.root, self.context = root, context
        self.here = root  # the working folder
        self.env: dict[str, str] = {}
        self.user = "root"
        self.ports: list[str] = []
        self.stop = signal.SIGTERM
        self.health = ""
        self.command: list[str] = []
        self.rules = [line for line in (context / ".dockerignore").read_text().split("\n") if line and line[0] != "#"]

    def follow(self, text: str) -> None:
        """Do what the Dockerfile `text` says. Raises ValueError at a word that is not known here."""
        for word, rest in instructions(text):
            match word:
                case "FROM":
                    self._lay_the_base()
                case "ENV":
                    self.env |= dict(pair.split("=", 1) for pair in shlex.split(rest))
                case "WORKDIR":
                    self.here = self.root / rest.lstrip("/")
                    self.here.mkdir(parents=True)
                case "COPY":
                    self._copy(*shlex.split(rest))
                case "RUN":
                    self._run(rest)
                case "USER":
                    self.user = rest
                case "EXPOSE":
                    self.ports = rest.split()
                case "STOPSIGNAL":
                    self.stop = signal.Signals[rest]
                case "HEALTHCHECK":
                    self.health = rest.partition("CMD ")[2]
                case "CMD":
                    self.command = json.loads(rest)
                case _:
                    raise ValueError(f"{word} is a word of Dockerfiles that has not been taught here")

    def environment(self, **more: str) -> dict[str, str]:
        """What a process in the image sees, and nothing of the machine around it but where its commands are."""
        path = f"{self.root / 'base' / 'bin'}:{os.environ['PATH']}"
        return {"PATH": path, "HOME": str(self.root), **self.env, **more}

    def start(self, env: dict[str, str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command, cwd=self.here, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def is_healthy(self, env: dict[str, str]) -> bool:
        check = subprocess.run(["sh", "-c", self.health], cwd=self.here, env=env, capture_output=True, check=False)
        return check.returncode == 0

    def _lay_the_base(self) -> None:
        base = self.root / "base"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", base], check=True)
        pip = base / "bin" / "pip"
        pip.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pip --python "{base}/bin/python" "$@"\n')
        pip.chmod(0o755)

    def _copy(self, name: str, target: str) -> None:
        source = self.context / name
        for file in [source] if source.is_file() else source.rglob("*"):
            if file.is_file() and is_sent(PurePosixPath(file.relative_to(self.context)), self.rules):
                place = self.here / target / (file.name if file == source else file.relative_to(source))
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, place)

    def _run(self, command: str) -> None:
        """A step of the build. It may look around the machine: pip's index and certificates are set there."""
        env = {**os.environ, **self.environment()}
        subprocess.run(["sh", "-c", command], cwd=self.here, env=env, check=True)
