"""A page may open a socket exactly if its origin is on the list; a pattern stands for whole labels and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from actors.door.origins import LOCAL_HOSTS, Origins


def allowed(pattern: str, origin: str | None) -> bool:
    return Origins.parse([pattern]).allowed(origin)


@pytest.mark.parametrize(
    ("pattern", "origin"),
    [
        ("https://example.com", "https://example.com"),
        ("https://example.com/", "https://example.com"),
        ("https://Example.COM", "https://example.com"),
        ("https://example.com", "HTTPS://EXAMPLE.com"),
        ("https://example.com:443", "https://example.com"),
        ("https://example.com", "https://example.com:443"),
        ("http://example.com", "http://example.com:80"),
        ("http://example.com:8080", "http://example.com:8080"),
        ("http://localhost:*", "http://localhost:3000"),
        ("http://localhost:*", "http://localhost"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("https://*.example.com", "https://shop.example.com"),
        ("https://*.example.com", "https://a.b.example.com"),
        ("https://*.example.com:8443", "https://shop.example.com:8443"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("http://my_page:3000", "http://my_page:3000"),
    ],
)
def test_a_page_on_the_list_may(pattern: str, origin: str) -> None:
    assert allowed(pattern, origin)


@pytest.mark.parametrize(
    ("pattern", "origin"),
    [
        ("https://example.com", "http://example.com"),
        ("https://example.com", "https://*.example.com"),
        ("https://example.com:8443", "http://example.com:8443"),
        ("https://localhost:*", "http://localhost:3000"),
        ("https://example.com", "https://example.com:8443"),
        ("https://example.com", "https://example.com.evil.net"),
        ("https://example.com", "https://evil-example.com"),
        ("https://example.com", "https://shop.example.com"),
        ("https://example.com", "https://example.com."),
        ("https://example.com", "https://example.com\n"),
        ("https://example.com", "https://example.com/path"),
        ("https://example.com", "https://user@example.com"),
        ("https://*.example.com", "https://example.com"),
        ("https://*.example.com", "https://evilexample.com"),
        ("https://*.example.com", "https://shop.example.com.evil.net"),
        ("https://*.example.com", "https://.example.com"),
        ("https://*.example.com", "https://*.example.com"),
        ("https://*.example.com", "http://shop.example.com"),
        ("https://*.example.com", "https://shop.example.com:8443"),
        ("http://localhost:*", "http://localhost:*"),
        ("http://localhost:*", "http://localhost.evil.net:80"),
        ("https://example.com", "null"),
        ("https://example.com", ""),
        ("https://example.com", "file://"),
    ],
)
def test_any_other_page_may_not(pattern: str, origin: str) -> None:
    assert not allowed(pattern, origin)


def test_who_has_no_origin_is_no_page_and_may() -> None:
    assert allowed("https://example.com", None)


def test_one_pattern_of_several_is_enough() -> None:
    origins = Origins.parse(["https://a.example", " https://b.example ", ""])

    assert origins.patterns == ("https://a.example", "https://b.example")
    assert origins.allowed("https://b.example")
    assert not origins.allowed("https://c.example")


@pytest.mark.parametrize(
    "pattern",
    [
        "example.com",
        "*",
        "https://*",
        "https://*.",
        "https://",
        "https://exa*ple.com",
        "https://*.*.com",
        "https://shop.*.com",
        "https://a..b",
        "https://.example.com",
        "https://example.com.",
        "https://-a.example",
        "https://example.com:٣",
        "https://example.com/path",
        "https://user@example.com",
        "wss://example.com",
        "ftp://example.com",
        "null",
        "https://bücher.example",
        "https://*.[::1]",
    ],
)
def test_what_is_no_origin_and_no_pattern_of_one_is_refused_by_name(pattern: str) -> None:
    with pytest.raises(ValueError, match="is no origin, expected https://host") as caught:
        Origins.parse(["https://example.com", pattern])
    assert repr(pattern) in str(caught.value)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", LOCAL_HOSTS)
def test_in_development_pages_of_this_machine_may_on_any_port(scheme: str, host: str) -> None:
    local = Origins.local()

    assert local.allowed(f"{scheme}://{host}:5173")
    assert local.allowed(f"{scheme}://{host}")
    assert not local.allowed(f"{scheme}://{host}.evil.net:5173".replace("].", "]"))
    assert Origins.parse(local.patterns) == local


# ── whatever is written ──────────────────────────────────────────────────────────────────────────

LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,4}[a-z0-9])?", fullmatch=True)
HOST = st.lists(LABEL, min_size=2, max_size=4)
ORIGINISH = st.one_of(
    st.text(max_size=30),
    st.from_regex(r"https?://(\*\.)?[a-z0-9.*:\[\]/@-]{0,20}(:[0-9*]{0,6})?\s?", fullmatch=True),
)


@given(st.lists(ORIGINISH, max_size=3))
@example(["https://example.com\n"])
def test_any_text_is_an_origin_or_a_value_error(patterns: list[str]) -> None:
    try:
        origins = Origins.parse(patterns)
    except ValueError:
        return

    assert all(origins.allowed(pattern) for pattern in origins.patterns if "*" not in pattern)


@given(HOST, HOST, st.sampled_from(["", "*."]), st.sampled_from(["", ":*", ":443"]))
def test_no_pattern_allows_a_host_that_does_not_end_in_its_labels(
    theirs: list[str], other: list[str], star: str, port: str
) -> None:
    is_allowed = allowed(f"https://{star}{'.'.join(theirs)}{port}", f"https://{'.'.join(other)}")

    below = len(other) > len(theirs) and other[-len(theirs) :] == theirs
    assert is_allowed == (below if star else other == theirs)


@given(HOST, st.lists(LABEL, max_size=2), st.sampled_from(["", "-", ".", "x", "@", ":1@", "/", "\\", "%2e", "\n"]))
def test_gluing_something_to_an_allowed_host_does_not_help(theirs: list[str], below: list[str], glue: str) -> None:
    pattern, good = f"https://*.{'.'.join(theirs)}", ".".join([*below, *theirs])

    assert not allowed(pattern, f"https://{good}{glue}evil.example")
    assert not allowed(pattern, f"https://evil{'.'.join(theirs)}")
    assert not allowed(pattern, f"https://evil.example/.{good}")


@given(ORIGINISH)
def test_any_header_is_answered(origin: str) -> None:
    assert Origins.parse(["https://*.example.com"]).allowed(origin) in (True, False)
