"""What this house declines, as far as a machine can keep watch.

Each rule is a function from a syntax tree to the lines that break it; one test holds it against the house, another
against a few lines that break it on purpose, so that no rule can fall asleep.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

HOME = Path(__file__).parent.parent
ACTORS = HOME / "actors"

WAITING = (
    *("asyncio", "socket", "threading", "time", "selectors", "ssl", "concurrent"),
    *("websockets", "google.genai"),
)
"""What a pure module does not import: everything that waits, and everything that leads to it."""
PURE = (
    *("messages.py", "replies.py", "errors.py", "wire", "live/translate.py", "live/profiles.py"),
    *("live/emulator/core.py", "live/emulator/session.py", "live/emulator/listening.py", "live/emulator/speaking.py"),
    *("live/emulator/answering.py", "live/emulator/agreement.py", "live/emulator/reading.py"),
    *("live/emulator/grammar.py", "live/emulator/usage.py", "live/emulator/resumption.py"),
)
"""Modules and folders below `actors/` that are pure by order; others are pure by their own word."""
LONGEST = 45
"""Lines of a function, without its docstring."""


# ── the rules ────────────────────────────────────────────────────────────────────────────────────


def statements(node: ast.AST) -> Iterator[ast.AST]:
    """Everything in the tree but what only a type checker reads."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for other in child.orelse:
                yield other
                yield from statements(other)
            continue
        yield child
        yield from statements(child)


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Each imported name with its line; `from a import b` imports both `a` and `a.b`."""
    for node in statements(tree):
        match node:
            case ast.Import(names):
                yield from ((node.lineno, each.name) for each in names)
            case ast.ImportFrom(module, names):
                yield node.lineno, module or ""
                yield from ((node.lineno, f"{module}.{each.name}") for each in names)


def imports_of(tree: ast.AST, refused: Iterable[str]) -> list[int]:
    within = tuple(f"{name}." for name in refused)
    return sorted({line for line, name in imports(tree) if f"{name}.".startswith(within)})


def imports_that_wait(tree: ast.AST) -> list[int]:
    return imports_of(tree, WAITING)


def imports_of_the_sdk(tree: ast.AST) -> list[int]:
    return imports_of(tree, ("google.genai",))


def long_functions(tree: ast.AST) -> list[int]:
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return [node.lineno for node in functions if lines_of(node) > LONGEST]


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = function.body[0]
    told = lines_between(first) if ast.get_docstring(function) is not None else 0
    return lines_between(function) - told


def lines_between(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def waiting_handlers(tree: ast.AST) -> list[int]:
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef))
    return [node.lineno for node in functions if node.name == "on_receive"]


def sleeps(tree: ast.AST) -> list[int]:
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    bare = {name for _, name in imports(tree)} & {"time.sleep", "asyncio.sleep"}
    names = {"time.sleep", "asyncio.sleep", *("sleep" for _ in bare)}
    return [node.lineno for node in calls if ast.unparse(node.func) in names and not yields_only(node)]


def yields_only(call: ast.Call) -> bool:
    """`asyncio.sleep(0)` waits for nothing: it lets others run."""
    return [ast.unparse(each) for each in call.args] == ["0"]


def blanket_excepts(tree: ast.AST) -> list[int]:
    lines = []
    for node in ast.walk(tree):
        match node:
            case ast.ExceptHandler(type=None):
                lines.append(node.lineno)
            case ast.ExceptHandler(type=caught) if caught is not None and names_exception(caught):
                lines.append(node.lineno)
            case ast.Call(func=called, args=caught) if ast.unparse(called).endswith("suppress"):
                lines += [node.lineno for each in caught if names_exception(each)]
    return lines


def names_exception(caught: ast.expr) -> bool:
    return any(isinstance(node, ast.Name) and node.id == "Exception" for node in ast.walk(caught))


# ── the house ────────────────────────────────────────────────────────────────────────────────────

Rule = Callable[[ast.AST], list[int]]


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def files(*places: Path) -> list[Path]:
    return sorted(path for place in places for path in (place.rglob("*.py") if place.is_dir() else [place]))


def offences(paths: Iterable[Path], rule: Rule) -> list[str]:
    return [f"{path.relative_to(HOME)}:{line}" for path in paths for line in rule(tree_of(path))]


def says_it_is_pure(path: Path) -> bool:
    first = (ast.get_docstring(tree_of(path)) or "").partition("\n")[0]
    return "pure" in first.lower().replace(".", " ").replace(";", " ").split()


def pure() -> list[Path]:
    by_order = files(*(ACTORS / name for name in PURE if (ACTORS / name).exists()))
    return sorted({*by_order, *(path for path in files(ACTORS) if says_it_is_pure(path))})


def with_all_they_import(paths: Iterable[Path]) -> set[Path]:
    """These modules of the house, and those that they bring with them."""
    known, coming = set[Path](), list(paths)
    while coming:
        path = coming.pop()
        if path not in known:
            known.add(path)
            ours = (HOME / f"{name.replace('.', '/')}.py" for _, name in imports(tree_of(path)))
            coming += [each for each in ours if each.is_file() and ACTORS in each.parents]
    return known


def test_pure_modules_import_nothing_that_waits_nor_anything_that_does() -> None:
    paths = pure()

    assert ACTORS / "wire" / "parse.py" in paths
    assert offences(sorted(with_all_they_import(paths)), imports_that_wait) == []


def test_only_one_file_calls_the_sdk() -> None:
    others = [path for path in files(ACTORS, HOME / "server.py") if path != ACTORS / "live" / "gemini.py"]

    assert offences(others, imports_of_the_sdk) == []


def test_no_function_is_longer_than_a_screen() -> None:
    places = [place for place in (ACTORS, HOME / "server.py", HOME / "bench") if place.exists()]

    assert offences(files(*places), long_functions) == []


def test_no_handler_waits() -> None:
    assert offences(files(ACTORS), waiting_handlers) == []


def test_no_test_sleeps() -> None:
    assert offences(files(HOME / "tests"), sleeps) == []


def test_only_the_runtime_catches_everything() -> None:
    others = [path for path in files(ACTORS) if path != ACTORS / "runtime.py"]

    assert offences(others, blanket_excepts) == []


# ── the rules themselves ─────────────────────────────────────────────────────────────────────────

LONG = "def f():\n" + "    pass\n" * LONGEST
TOLD = "def f():\n" + '    """' + "word\n" * 50 + '    """\n' + "    pass\n" * (LONGEST - 1)


@pytest.mark.parametrize(
    ("rule", "source", "lines"),
    [
        (imports_that_wait, "import asyncio", [1]),
        (imports_that_wait, "import json, time", [1]),
        (imports_that_wait, "import concurrent.futures as f", [1]),
        (imports_that_wait, "from websockets.asyncio import server", [1]),
        (imports_that_wait, "from google import genai", [1]),
        (imports_that_wait, "def f():\n    from socket import socket", [2]),
        (imports_that_wait, "if TYPE_CHECKING:\n    import ssl\nelse:\n    import time", [4]),
        (imports_that_wait, "if TYPE_CHECKING:\n    from google.genai import types", []),
        (imports_that_wait, "import typing\nfrom timeit import timeit\nfrom google.protobuf import x", []),
        (imports_of_the_sdk, "from google.genai.live import AsyncSession", [1]),
        (imports_of_the_sdk, "import asyncio\nimport google.genai", [2]),
        (imports_of_the_sdk, "if typing.TYPE_CHECKING:\n    from google import genai", []),
        (long_functions, LONG, [1]),
        (long_functions, "async " + LONG, [1]),
        (long_functions, "class A:\n    " + LONG.replace("\n", "\n    ").rstrip(), [2]),
        (long_functions, LONG.removesuffix("    pass\n"), []),
        (long_functions, TOLD, []),
        (waiting_handlers, "class A:\n    async def on_receive(self, message): ...", [2]),
        (waiting_handlers, "class A:\n    def on_receive(self, message): ...", []),
        (sleeps, "import time\ntime.sleep(0.1)", [2]),
        (sleeps, "async def f():\n    await asyncio.sleep(0.1)", [2]),
        (sleeps, "from time import sleep\nsleep(1)", [2]),
        (sleeps, "from asyncio import sleep\nsleep(delay)", [2]),
        (sleeps, "asyncio.sleep(0)\nclock.sleep(5)\nsleep(5)", []),
        (blanket_excepts, "try: f()\nexcept Exception: g()", [2]),
        (blanket_excepts, "try: f()\nexcept (OSError, Exception) as e: g()", [2]),
        (blanket_excepts, "try: f()\nexcept: g()", [2]),
        (blanket_excepts, "with contextlib.suppress(Exception): f()", [1]),
        (blanket_excepts, "try: f()\nexcept ExceptionGroup: g()\nexcept OSError: h()", []),
    ],
)
def test_a_rule_sees_what_breaks_it_and_nothing_else(rule: Rule, source: str, lines: list[int]) -> None:
    assert rule(ast.parse(source)) == lines


def test_a_module_is_pure_by_its_own_word(tmp_path: Path) -> None:
    said = {"a.py": '"""A table. Pure."""', "b.py": '"""A table.      pure\n"""', "c.py": '"""Purely\n\npure"""'}
    for name, source in said.items():
        (tmp_path / name).write_text(source)

    assert [name for name in said if says_it_is_pure(tmp_path / name)] == ["a.py", "b.py"]
