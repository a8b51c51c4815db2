#!/usr/bin/env bash
# Writes requirements.lock anew: what a fresh environment gets from pyproject.toml, every version
# pinned, no address of an index. Run it after changing a dependency, then run all tests.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
pip=("$folder/venv/bin/python" -m pip --disable-pip-version-check)
"${pip[@]}" install -qq --upgrade 'pip>=25.1'
"${pip[@]}" install -qq "$(sed -n 's/^  "\(torch==[^"]*\)",$/\1/p' pyproject.toml)"
"${pip[@]}" install -qq ".[s3,dask,tensorflow-checkpoints]" --group test --group lint --group build
{
    echo "# Made by tools/lock.sh from pyproject.toml; do not edit."
    "${pip[@]}" freeze --all --exclude scanmill --exclude pip | sed 's/^\(torch==[0-9.]*\)+cpu$/\1/'
} > "$folder/lock"
mv "$folder/lock" requirements.lock
