#!/bin/sh
# The real parts that the tests run against and pip does not bring: so far Chromium, for the talk page.
#
# What is missing is installed from Debian's packages if this user may (root, or sudo that asks for no password);
# otherwise one sentence says what to do. SKIP=browser goes without; the tests that need it are then skipped.
set -eu

fail() {
    echo "real parts: $*" >&2
    exit 1
}

skipped() {
    case ",$(echo "${SKIP:-}" | tr -d ' ')," in
    *",$1,"*) return 0 ;;
    *) return 1 ;;
    esac
}

has_chromium() { # by the name under which the tests look for it
    command -v chromium >/dev/null
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo -n "$@"
    fi
}

may_install() {
    command -v apt-get >/dev/null && as_root true 2>/dev/null
}

apt() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 "$@" >/dev/null
}

if skipped browser || has_chromium; then
    exit 0
fi
may_install || fail "Chromium is missing and cannot be installed from here; install it, or say SKIP=browser"
echo "real parts: installing Chromium" >&2
apt update && apt install --no-install-recommends -y chromium ||
    fail "apt-get could not install Chromium, its own words are above; install it, or say SKIP=browser"
has_chromium || fail "apt-get says that it installed Chromium, but there is no such command; say SKIP=browser"
