"""What is declared, what is locked and what is imported agree; the commands of the contract are there."""

from __future__ import annotations

import ast
import configparser
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

TOP = Path(__file__).parent.parent
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-build.lock")
TARGETS = {"run", "test", "lint", "setup", "help"}
OURS = {"actors", "bench", "server", "tests"}

# Where a library is imported by other names than its own. pydantic pins the exact version of its core.
IMPORTED_AS = {
    "google-genai": ("google.genai",),
    "pydantic": ("pydantic", "pydantic_core"),
    "python-dotenv": ("dotenv",),
}
# Used without being imported: as a command, or by pytest itself.
TOOLS = {"coverage", "mypy", "pytest-asyncio", "pytest-timeout", "pytest-xdist", "ruff"}


def declared(extra: str = "") -> list[Requirement]:
    """What setup.cfg asks for: at run time, or as the extra."""
    setup = configparser.ConfigParser()
    setup.read(TOP / "setup.cfg")
    lines = setup["options.extras_require"][extra] if extra else setup["options"]["install_requires"]
    return [Requirement(line) for line in lines.splitlines() if line.strip()]


def locked(name: str) -> dict[str, Version]:
    """Each package in a lock file, and the one version of it."""
    pins = re.findall(r"^([a-z0-9-]+)==(\S+)", (TOP / name).read_text(), re.MULTILINE)
    return {package: Version(version) for package, version in pins}


def imports(*places: str) -> set[str]:
    """The dotted names that the code in `places` imports from elsewhere, and the names of what they are part of."""
    names = set()
    for place in places:
        for file in (TOP / place).rglob("*.py") if (TOP / place).is_dir() else [TOP / place]:
            names |= set(_names(ast.parse(file.read_text())))
    return {name for name in names if name.split(".")[0] not in OURS | sys.stdlib_module_names}


def _names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_from(name: str, requirement: Requirement) -> bool:
    modules = IMPORTED_AS.get(requirement.name, (requirement.name.replace("-", "_"),))
    return any(f"{name}.".startswith(f"{module}.") for module in modules)


def make(*words: str) -> str:
    return subprocess.run(["make", *words], cwd=TOP, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(("lock", "extra"), [("requirements.lock", ""), ("requirements-dev.lock", "dev")])
def test_a_lock_stays_within_the_ranges_it_was_made_from(lock: str, extra: str) -> None:
    pins = locked(lock)

    assert {str(asked) for asked in declared(extra) if pins[asked.name] not in asked.specifier} == set()


def test_the_tests_run_on_what_runs_in_production() -> None:
    assert locked("requirements.lock").items() <= locked("requirements-dev.lock").items()


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_versions_and_hashes_and_no_place(lock: str) -> None:
    text = (TOP / lock).read_text()
    entries = re.findall(r"^[a-z0-9-]+==\S+.*?(?=^[a-z#]|\Z)", text, re.MULTILINE | re.DOTALL)

    assert len(entries) == len(locked(lock)) > 0
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert re.findall(r"://|--index|--extra-index|--find-links|file:", text) == []


def test_every_library_that_is_declared_is_imported() -> None:
    names = imports("actors", "server.py")

    assert [asked.name for asked in declared() if not any(is_from(name, asked) for name in names)] == []


def test_every_library_that_is_imported_is_declared() -> None:
    names = imports("actors", "server.py")

    assert [name for name in sorted(names) if not any(is_from(name, asked) for asked in declared())] == []


def test_every_test_tool_that_is_declared_is_used_and_every_one_used_is_declared() -> None:
    names = imports("tests", "bench")
    asked = declared("dev")

    assert [
        tool.name for tool in asked if tool.name not in TOOLS if not any(is_from(name, tool) for name in names)
    ] == []
    assert [name for name in sorted(names) if not any(is_from(name, library) for library in declared() + asked)] == []


def test_the_makefile_has_the_targets_of_the_contract_and_no_others() -> None:
    targets = re.findall(r"^([a-z][\w-]*):", (TOP / "Makefile").read_text(), re.MULTILINE)

    assert sorted(targets) == sorted(TARGETS)


@pytest.mark.parametrize("words", [["help"], []])
def test_make_help_lists_every_target_with_a_word_about_it(words: list[str]) -> None:
    listed = re.findall(r"^make (\w+) +\w+", make(*words), re.MULTILINE)

    assert set(listed) == TARGETS


def test_ci_does_what_a_person_would_do() -> None:
    script = TOP / ".ci" / "run"

    assert os.access(script, os.X_OK)
    assert re.findall(r"^make (\w+)", script.read_text(), re.MULTILINE) == ["lint", "test"]
    assert "set -eu" in script.read_text()


def test_the_licence_is_there_in_full() -> None:
    text = (TOP / "LICENSE").read_text()

    assert "Apache License\n                           Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_a_wheel_brings_the_rooms_the_front_door_and_the_page(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    for folder in ("actors", "web"):
        shutil.copytree(TOP / folder, tree / folder)
    for file in ("LICENSE", "README.md", "pyproject.toml", "server.py", "setup.cfg"):
        shutil.copy(TOP / file, tree)
    build = (sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", tmp_path, tree)
    subprocess.run(build, check=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())

    assert {"server.py", "actors/messages.py", "web/client.js", "web/index.html"} <= names
    assert [name for name in names if "__pycache__" in name] == []
