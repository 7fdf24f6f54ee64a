"""What is served over HTTP: from web/, as it is there, with headers that keep strangers out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from actors.door.pages import FOR_ANYBODY, PATHS, POLICY, Page, Pages, respond, respond_page, text

WEB = Path(__file__).resolve().parents[1] / "web"
PAGE = Page(b"hello", {"ETag": '"abc"', "Content-Type": "text/plain", "Cache-Control": "no-cache"})


@pytest.mark.parametrize("path", sorted(PATHS))
def test_a_page_is_the_file_in_the_folder(path: str) -> None:
    page = Pages(WEB).find(path)

    assert page is not None
    assert page.body == (WEB / PATHS[path]).read_bytes()
    assert re.fullmatch(r'"[0-9a-f]{16}"', page.headers["ETag"])
    assert page.headers["Cache-Control"] == "no-cache"
    assert page.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("path", ["", "/index.html", "/../server.py", "/client", "/talk.js/"])
def test_nothing_else_is_a_page(path: str) -> None:
    assert Pages(WEB).find(path) is None


def test_every_file_that_a_page_needs_has_a_path() -> None:
    html = (WEB / "index.html").read_text()
    scripts = (WEB / "talk.js").read_text()
    wanted = {*re.findall(r'(?:src|href)="(/[^"]*)"', html), *re.findall(r'from "(/[^"]*)"', scripts)}

    assert wanted
    assert wanted <= set(PATHS)


def test_a_page_loads_nothing_from_elsewhere_and_runs_nothing_inline() -> None:
    html = (WEB / "index.html").read_text()

    assert re.findall(r'(?:src|href)="(?:https?:)?//', html) == []
    assert re.findall(r"<script(?![^>]*\bsrc=)", html) == []
    assert re.findall(r"<style|\bstyle=|\bon[a-z]+=", html) == []


def test_a_page_of_ours_may_only_use_what_is_ours() -> None:
    rules = dict(rule.split(" ", 1) for rule in POLICY.split("; "))

    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    assert rules["frame-ancestors"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert "unsafe" not in POLICY


@pytest.mark.parametrize("path", sorted(PATHS))
def test_only_what_is_meant_for_others_may_be_loaded_by_them(path: str) -> None:
    page = Pages(WEB).find(path)

    assert page is not None
    assert ("Access-Control-Allow-Origin" in page.headers) is (path in FOR_ANYBODY)
    assert ("Content-Security-Policy" in page.headers) is (path not in FOR_ANYBODY)


def test_another_body_has_another_tag(tmp_path: Path) -> None:
    for name in PATHS.values():
        (tmp_path / name).write_bytes(b"one")
    before = Pages(tmp_path).find("/client.js")
    (tmp_path / "client.js").write_bytes(b"two")
    after = Pages(tmp_path).find("/client.js")

    assert before is not None
    assert after is not None
    assert before.headers["ETag"] != after.headers["ETag"]


@pytest.mark.parametrize("known", ['"abc"', 'W/"abc"', '"x", "abc"', '"x",W/"abc"', "*"])
def test_who_has_the_page_is_told_so_and_sent_nothing(known: str) -> None:
    response = respond_page(PAGE, known)

    assert (response.status_code, response.body) == (304, b"")
    assert response.headers["ETag"] == '"abc"'
    assert response.headers["Cache-Control"] == "no-cache"
    assert "Content-Length" not in response.headers


@pytest.mark.parametrize("known", [None, "", "abc", '"ab"', '"x", "y"', 'w/"abc"'])
def test_who_has_not_is_sent_it(known: str | None) -> None:
    response = respond_page(PAGE, known)

    assert (response.status_code, response.body) == (200, b"hello")
    assert response.headers["Content-Length"] == "5"


def test_a_response_tells_its_length_and_that_it_is_the_last() -> None:
    response = respond(200, b"1234", {"X-More": "yes"})

    assert response.headers["Content-Length"] == "4"
    assert response.headers["Connection"] == "close"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["X-More"] == "yes"


def test_a_line_of_text_may_have_headers() -> None:
    response = text(503, "full", Retry_After="10")

    assert (response.status_code, response.reason_phrase, response.body) == (503, "Service Unavailable", b"full")
    assert response.headers["Retry-After"] == "10"
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
