#!/usr/bin/env bash
# Sets up everything scanmill needs: system libraries (software EGL), .venv, the command `scanmill`.
# Takes a moment when there is nothing to do. Works as root, with sudo, or says what to install.
# With --venv: the virtual environment alone, which is all that linting needs.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly PACKAGES=(libegl1 libgl1 libegl-mesa0 libgl1-mesa-dri libglib2.0-0)
readonly STAMP=.venv/.scanmill-setup

say() { printf 'setup: %s\n' "$*" >&2; }
stop() { printf 'setup: %s\n' "$*" >&2; exit 1; }

installed() {  # Debian's newer releases call some packages <name>t64; an unknown name is no error
    local status
    status=$(dpkg-query -W -f='${Status}\n' "$1" "$1t64" 2>/dev/null || true)
    [[ $status == *"install ok installed"* ]]
}

missing_packages() {
    local package
    for package in "${PACKAGES[@]}"; do installed "$package" || printf '%s ' "$package"; done
}

install_system_libraries() {
    if ! command -v dpkg-query >/dev/null; then
        say "no Debian package system here: make sure that libEGL, libGL, Mesa's EGL and DRI drivers and glib are installed"
        return
    fi
    local missing as_root=()
    missing=$(missing_packages)
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" != 0 ]; then
        sudo -n true 2>/dev/null || stop "missing system libraries; ask an administrator to run: apt-get install $missing"
        as_root=(sudo -n)
    fi
    say "installing system libraries: $missing"
    "${as_root[@]}" apt-get update -qq || stop "apt-get update failed; check the network, then run make setup again"
    # shellcheck disable=SC2086 # a list of names
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null \
        || stop "could not install them; run: apt-get install $missing"
}

find_python() {
    local candidate
    for candidate in "${PYTHON:-}" python3.11 python3.12 python3.13 python3; do
        [ -n "$candidate" ] && command -v "$candidate" >/dev/null \
            && "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
            && { printf '%s' "$candidate"; return; }
    done
    stop "no Python 3.11 or newer with venv; run: apt-get install python3-venv (or set PYTHON=/path/to/python3.11)"
}

fingerprint() {  # what the environment depends on; the folder, because scripts name it
    { pwd; cat requirements.lock pyproject.toml "$0"; } | sha256sum | cut -d' ' -f1
}

install_environment() {
    local wanted python started=$SECONDS
    wanted=$(fingerprint)
    if [ -x .venv/bin/scanmill ] && [ "$(cat "$STAMP" 2>/dev/null)" = "$wanted" ]; then return; fi
    python=$(find_python)
    [ -x .venv/bin/python ] || { rm -rf .venv; say "making .venv with $("$python" --version)"; "$python" -m venv .venv; }
    rm -f "$STAMP"
    # torch first and by its exact pin: otherwise another package may ask for a newer one with CUDA.
    say "installing locked packages (about a minute when they are near)"
    .venv/bin/python -m pip install -qq --disable-pip-version-check "$(grep '^torch==' requirements.lock)" \
        || stop "torch could not be installed; see the message above"
    .venv/bin/python -m pip install -qq --disable-pip-version-check -r requirements.lock \
        || stop "the packages of requirements.lock could not be installed; see the message above"
    # Its files alone are read: without its requirements, warp-lang among them (docs/decisions/0009).
    .venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps "$(sed -n 's/^assets = \["\([^"]*\)"\].*/\1/p' pyproject.toml)" \
        || stop "the body assets could not be installed; see the message above"
    .venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e . \
        || stop "scanmill itself could not be installed; see the message above"
    printf '%s\n' "$wanted" > "$STAMP"
    say "done in $((SECONDS - started)) s"
}

[ "${1:-}" = --venv ] || install_system_libraries
install_environment
