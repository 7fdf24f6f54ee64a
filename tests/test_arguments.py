"""What may be written behind `server.py`, and what is said of the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

import server
from actors.arguments import COMMANDS, flag, read
from actors.settings import Settings

SECRET = "hush-hush"


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as ended:
        read(list(words), version="1.2.3")
    said = capsys.readouterr()

    assert ended.value.code == 2
    assert said.out == ""
    assert said.err.count("\n") == 1
    return said.err


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as ended:
        read(list(words), version="1.2.3")

    assert ended.value.code == 0
    return capsys.readouterr().out


def test_every_command_that_can_be_written_can_be_run() -> None:
    assert set(server.COMMANDS) == set(COMMANDS)


@pytest.mark.parametrize("words", [[], ["serve"], ["--port", "1"], ["serve", "--port=1"]])
def test_with_no_command_it_is_serve(words: list[str]) -> None:
    assert read(words, version="1").command == "serve"


def test_a_flag_that_is_not_given_is_not_set() -> None:
    given = vars(read(["--max-calls", "5"], version="1"))

    assert {name: value for name, value in given.items() if name in Settings.model_fields} == {"max_calls": "5"}


def test_a_call_has_a_file_and_a_pace() -> None:
    slow = read(["call", "a.wav"], version="1")
    fast = read(["call", "a.wav", "--fast", "--url", "ws://h", "--out", "b.wav"], version="1")

    assert (slow.file, slow.url, slow.out, slow.pace) == (Path("a.wav"), "ws://127.0.0.1:8080", None, "realtime")
    assert (fast.url, fast.out, fast.pace) == ("ws://h", Path("b.wav"), "fast")


def test_an_emulator_takes_any_free_port_of_this_machine() -> None:
    asked = read(["emulator"], version="1")

    assert (asked.host, asked.port, asked.leashed) == ("127.0.0.1", 0, False)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, command, "--help").startswith(f"usage: server.py {command} ")


def test_the_help_lists_the_commands_and_that_of_serve_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    top = shown(capsys, "--help")
    serving = shown(capsys, "serve", "--help")

    assert all(f"\n    {command} " in top for command in COMMANDS)
    assert all(f"  {flag(name)} " in serving for name in Settings.model_fields)


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, "--version") == "parley 1.2.3\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["serv"], "did you mean serve?"),
        (["emulate"], "did you mean emulator?"),
        (["--prot", "80"], "unrecognized arguments: --prot; did you mean --port?"),
        (["--max-cals=5"], "unrecognized arguments: --max-cals; did you mean --max-calls?"),
        (["call", "a.wav", "--urll", "x"], "unrecognized arguments: --urll; did you mean --url?"),
        (["call"], "the following arguments are required: file ("),
        (["call", "a.wav", "--fast", "--realtime"], "not allowed with argument"),
        (["--port"], "argument --port: expected one argument ("),
        (["serve", "now"], "unrecognized arguments: now ("),
        (["emulator", "--port", "99999"], "argument --port: found '99999', expected 0 to 65535 ("),
        (["emulator", "--port", "-1"], "expected 0 to 65535 ("),
        (["emulator", "--port", "x"], "expected 0 to 65535 ("),
        (["schema", "--xyzzy"], "unrecognized arguments: --xyzzy ("),
    ],
)
def test_what_is_wrong_is_a_line_with_a_hint(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    line = refused(capsys, *words)

    assert said in line
    assert line.startswith("server.py")
    assert "--help lists what there is)" in line


@pytest.mark.parametrize("words", [["--gemini-api-kye", SECRET], [f"--gemini-api-kye={SECRET}"]])
def test_the_value_of_an_unknown_flag_is_not_repeated(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    line = refused(capsys, *words)

    assert "did you mean --gemini-api-key?" in line
    assert SECRET not in line
