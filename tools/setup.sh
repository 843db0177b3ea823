#!/bin/sh
# Make .venv and install pinned requirements into it: `sh tools/setup.sh requirements.txt`. It needs a POSIX shell and
# Python 3.11 or later, and does nothing where the requirements are those of the last time. PYTHON=… names the Python.
set -eu
cd "$(dirname "$0")/.."
requirements=$1

say() {
    printf '%s\n' "$*" >&2
}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

version_of() {
    "$1" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null
}

# Print a Python that is new enough, or end with one sentence.
find_python() {
    if [ -n "${PYTHON:-}" ]; then
        is_new_enough "$PYTHON" && echo "$PYTHON" && return
        found=$(version_of "$PYTHON") || { say "PYTHON=$PYTHON is no Python that can be run. Name one of version 3.11 or later."; exit 1; }
        say "mTLS Rehearsal needs Python 3.11 or later; $PYTHON here is $found. Name a later one: make run PYTHON=/path/to/python3.12"
        exit 1
    fi
    for candidate in python3 python3.13 python3.12 python3.11 python3.14; do
        is_new_enough "$candidate" && echo "$candidate" && return
    done
    found=$(version_of python3) && found="python3 here is $found" || found="no python3 was found here"
    say "mTLS Rehearsal needs Python 3.11 or later; $found. Install a later one, or name it: make run PYTHON=/path/to/python3.12"
    exit 1
}

# Whether .venv works, and is of the version that PYTHON asks for, if it asks for one.
venv_is_good() {
    have=$(version_of .venv/bin/python) && is_new_enough .venv/bin/python || return 1
    [ -z "${PYTHON:-}" ] || [ "$(version_of "$PYTHON")" = "$have" ]
}

if [ -n "${PYTHON:-}" ]; then
    python=$(find_python)
fi
if ! venv_is_good; then
    python=$(find_python)
    echo "Making the virtual environment .venv with $python $(version_of "$python")"
    if ! problem=$("$python" -m venv --clear .venv 2>&1); then
        rm -rf .venv
        say "$python cannot make a virtual environment; on Debian and Ubuntu the package python3-venv is missing. It said: $(echo "$problem" | tail -n 1)"
        exit 1
    fi
fi
# The copy beside the installed packages tells what they were installed from.
if ! cmp -s "$requirements" ".venv/$requirements"; then
    echo "Installing $requirements (once; later starts take seconds)"
    .venv/bin/python -m pip install --quiet --quiet --disable-pip-version-check --no-input --require-hashes -r "$requirements"
    cp "$requirements" ".venv/$requirements"
fi
