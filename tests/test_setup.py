"""`.ci/setup.sh` and `.ci/real-parts.sh`, on a machine whose commands only note what they are asked to do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent
NEEDED = ("cat", "chmod", "cmp", "cp", "dirname", "env", "mkdir", "rm", "sh", "tr")

# Takes itself for Python 3.11 or what the file `version` says; makes virtual environments that hold itself, and notes
# what pip is asked. A file named `broken` makes pip fail.
PYTHON = f"""
case "$*" in
*version_info*) {sys.executable} -c "import sys; sys.version_info = (3, $(cat "$MACHINE/version" || echo 11)); $2" ;;
*ensurepip*) test ! -e "$MACHINE/no-ensurepip" ;;
--version) echo Python 3.11.9 ;;
"-m venv .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
*"pip install"*) test ! -e "$MACHINE/broken" && echo "$*" >>"$MACHINE/log" ;;
esac
"""
# Brings what it installs. A file named `broken` makes it fail.
APT = """
test ! -e "$MACHINE/broken" || exit 100
echo "apt-get $*" >>"$MACHINE/log"
case "$*" in
*install*chromium*) cp "$0" "$MACHINE/bin/chromium" ;;
esac
"""
ROOT, SOMEBODY = "echo 0", "echo 1000"
SUDO = '[ "$1" = -n ] && shift && "$@"'


class Machine:
    """A folder of commands, a copy of the project beside it, and a log of what was asked."""

    def __init__(self, place: Path) -> None:
        self.place, self.tree = place, place / "tree"
        (place / "bin").mkdir()
        for name in NEEDED:
            (place / "bin" / name).symlink_to(shutil.which(name) or name)
        shutil.copytree(TOP / ".ci", self.tree / ".ci")
        for file in (TOP / "setup.cfg", TOP / "pyproject.toml", *TOP.glob("requirements*.lock")):
            shutil.copy(file, self.tree)

    def has(self, name: str, does: str) -> None:
        command = self.place / "bin" / name
        command.write_text(f"#!/bin/sh\n{does}\n")
        command.chmod(0o755)

    def note(self, name: str, text: str = "") -> Path:
        """A file that the commands look for."""
        file = self.place / name
        file.write_text(text)
        return file

    def run(self, *words: str, skip: str = "") -> subprocess.CompletedProcess[str]:
        env = {"PATH": str(self.place / "bin"), "MACHINE": str(self.place), "SKIP": skip}
        return subprocess.run(["sh", *words], cwd=self.tree, env=env, text=True, capture_output=True, check=False)

    def log(self) -> str:
        """What was asked since the last time."""
        file = self.place / "log"
        asked = file.read_text() if file.exists() else ""
        file.unlink(missing_ok=True)
        return asked


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path)
    machine.has("python3", PYTHON)
    return machine


SETUP_RUN, SETUP_DEV, REAL_PARTS = (".ci/setup.sh", "run"), (".ci/setup.sh", "dev"), (".ci/real-parts.sh",)


def test_running_brings_what_runs_and_no_test_tools(machine: Machine) -> None:
    done = machine.run(*SETUP_RUN)
    asked = machine.log()

    assert done.returncode == 0
    assert "--require-hashes --requirement requirements.lock" in asked
    assert "--editable ." in asked
    assert "requirements-dev.lock" not in asked


@pytest.mark.parametrize("words", [SETUP_RUN, SETUP_DEV])
def test_the_second_time_nothing_is_done_and_nothing_is_said(machine: Machine, words: tuple[str, ...]) -> None:
    machine.run(*words)
    machine.log()
    done = machine.run(*words)

    assert (done.returncode, done.stdout, done.stderr, machine.log()) == (0, "", "", "")


def test_who_can_test_can_run(machine: Machine) -> None:
    machine.run(*SETUP_DEV)
    machine.log()
    machine.run(*SETUP_RUN)

    assert machine.log() == ""


@pytest.mark.parametrize("name", ["setup.cfg", "requirements.lock", "requirements-build.lock"])
def test_what_has_changed_is_installed(machine: Machine, name: str) -> None:
    machine.run(*SETUP_RUN)
    machine.log()
    with (machine.tree / name).open("a") as file:
        file.write("# changed\n")
    machine.run(*SETUP_RUN)

    assert "requirements.lock" in machine.log()


def test_an_installation_that_failed_says_so_and_is_done_again(machine: Machine) -> None:
    broken = machine.note("broken")
    failed = machine.run(*SETUP_RUN)
    broken.unlink()
    done = machine.run(*SETUP_RUN)

    assert (failed.returncode, done.returncode) == (1, 0)
    assert "pip could not install what requirements.lock names" in failed.stderr
    assert "requirements.lock" in machine.log()


def test_a_failed_change_that_is_taken_back_is_put_right(machine: Machine) -> None:
    machine.run(*SETUP_RUN)
    before = (machine.tree / "requirements.lock").read_text()
    (machine.tree / "requirements.lock").write_text("changed\n")
    broken = machine.note("broken")
    machine.run(*SETUP_RUN)
    broken.unlink()
    (machine.tree / "requirements.lock").write_text(before)
    machine.log()
    machine.run(*SETUP_RUN)

    assert "requirements.lock" in machine.log()


def test_no_python_is_a_sentence(machine: Machine) -> None:
    (machine.place / "bin" / "python3").unlink()
    done = machine.run(*SETUP_RUN)

    assert done.returncode == 1
    assert done.stderr.startswith("setup: no Python 3.11 or newer was found")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(("minor", "code"), [("9", 1), ("10", 1), ("11", 0), ("12", 0), ("14", 0)])
def test_a_python_that_is_too_old_is_passed_over(machine: Machine, minor: str, code: int) -> None:
    machine.note("version", minor)

    assert machine.run(*SETUP_RUN).returncode == code


def test_a_python_without_its_packaging_half_is_a_sentence(machine: Machine) -> None:
    machine.note("no-ensurepip")
    done = machine.run(*SETUP_RUN)

    assert done.returncode == 1
    assert done.stderr.endswith("apt-get install python3-venv\n")


def test_a_browser_that_is_there_is_enough(machine: Machine) -> None:
    machine.has("chromium", "")
    machine.has("apt-get", APT)
    done = machine.run(*REAL_PARTS)

    assert (done.returncode, done.stderr, machine.log()) == (0, "", "")


@pytest.mark.parametrize("who", [{"id": ROOT}, {"id": SOMEBODY, "sudo": SUDO}], ids=["root", "sudo"])
def test_a_missing_browser_is_installed_by_who_may(machine: Machine, who: dict[str, str]) -> None:
    for name, does in {"apt-get": APT, **who}.items():
        machine.has(name, does)
    done = machine.run(*REAL_PARTS)
    update, install = machine.log().splitlines()

    assert done.returncode == 0
    assert update.endswith(" update")
    assert install.endswith(" install --no-install-recommends -y chromium")


@pytest.mark.parametrize(
    "commands",
    [{"id": ROOT}, {"id": SOMEBODY, "apt-get": APT}, {"id": SOMEBODY, "apt-get": APT, "sudo": "exit 1"}],
    ids=["no apt-get", "no sudo", "sudo wants a password"],
)
def test_a_missing_browser_is_a_sentence_for_who_may_not(machine: Machine, commands: dict[str, str]) -> None:
    for name, does in commands.items():
        machine.has(name, does)
    done = machine.run(*REAL_PARTS)

    assert done.returncode == 1
    assert done.stderr == (
        "real parts: Chromium is missing and cannot be installed from here; install it, or say SKIP=browser\n"
    )


def test_an_installation_of_the_browser_that_failed_is_a_sentence(machine: Machine) -> None:
    machine.has("id", ROOT)
    machine.has("apt-get", APT)
    machine.note("broken")
    done = machine.run(*REAL_PARTS)

    assert done.returncode == 1
    assert "real parts: apt-get could not install Chromium" in done.stderr


@pytest.mark.parametrize("skip", ["browser", "postgres,browser", "postgres, browser"])
def test_a_browser_is_skipped_when_asked(machine: Machine, skip: str) -> None:
    done = machine.run(*REAL_PARTS, skip=skip)

    assert (done.returncode, done.stderr) == (0, "")


def test_the_scripts_are_executable() -> None:
    assert [script.name for script in (TOP / ".ci").iterdir() if not os.access(script, os.X_OK)] == []
