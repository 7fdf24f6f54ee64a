#!/bin/sh
# Writes the lock files anew: the ranges of setup.cfg, and the tools that install them. Needs uv; run by hand when a
# range changes, or to take newer versions: sh .ci/lock.sh --upgrade
#
# One lock serves every supported Python and platform. It names versions and hashes, never a place to get them from.
set -eu
cd "$(dirname "$0")/.."

lock() {
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --custom-compile-command "sh .ci/lock.sh" "$@"
}

lock "$@" --output-file requirements.lock setup.cfg
lock "$@" --output-file requirements-dev.lock --extra dev --constraint requirements.lock setup.cfg
printf 'pip\nsetuptools>=77,<85\n' | lock "$@" --no-annotate --output-file requirements-build.lock -
rm -rf parley.egg-info
