#!/bin/sh
# Makes .venv and fills it with what the locks name.
#
#   sh .ci/setup.sh run    what the gateway needs           requirements.lock
#   sh .ci/setup.sh dev    that, and what its tests need    requirements-dev.lock, which contains the first
#
# A copy of all that decides the outcome is kept inside .venv. While it matches, nothing is done; it is taken away
# first and written last, so what was interrupted is done again. pip does the installing, not something faster, because
# every machine has it, and it already knows which index and certificates that machine is meant to use. It is
# brought up to date first (requirements-build.lock): the pip that comes with Python 3.11 takes twice as long.
set -eu
cd "$(dirname "$0")/.."
kind=${1:-run}

fail() {
    echo "setup: $*" >&2
    exit 1
}

inputs() { # everything that decides what is installed, and where to
    pwd
    cat setup.cfg pyproject.toml .ci/setup.sh requirements-build.lock "$1"
}

works() { # is this a Python we can live with?
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    for candidate in ${PYTHON:-} python3.13 python3.12 python3.11 python3; do
        if works "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    fail "no Python 3.11 or newer was found; install one, or name it: make setup PYTHON=/path/to/python3"
}

install() {
    .venv/bin/python -m pip install -qq --disable-pip-version-check --no-input "$@" ||
        fail "pip could not install what $lock names; its own words are above"
}

case $kind in
run) lock=requirements.lock ;;
dev) lock=requirements-dev.lock ;;
*) fail "expected run or dev, got $kind" ;;
esac

if works .venv/bin/python && inputs "$lock" | cmp -s - ".venv/installed-$kind"; then
    exit 0
fi

python=$(find_python)
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "$python cannot make virtual environments; Debian and Ubuntu keep that part in a package: apt-get install python3-venv"
echo "setup: installing what $lock names into .venv, with $("$python" --version)" >&2
works .venv/bin/python || rm -rf .venv
rm -f .venv/installed-*
"$python" -m venv .venv
install --require-hashes --requirement requirements-build.lock
install --require-hashes --requirement "$lock"
install --no-deps --no-build-isolation --editable .

inputs "$lock" >".venv/installed-$kind"
if [ "$kind" = dev ]; then
    inputs requirements.lock >.venv/installed-run
fi
