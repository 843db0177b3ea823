#!/bin/sh
# Pin the libraries of pyproject.toml with hashes, for every Python from 3.11 on: `sh tools/lock.sh`. It needs a network.
set -eu
cd "$(dirname "$0")/.."
.venv/bin/python -m pip install --quiet --disable-pip-version-check uv

pin() {
    output=$1
    shift
    # --no-emit-index-url: whoever installs takes the index that pip is set up for.
    .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
        --no-emit-index-url --no-annotate --no-header pyproject.toml "$@" -o "$output"
}

pin requirements.txt
# What the tests install is what the site installs, and more.
pin requirements-dev.txt --group dev --constraint requirements.txt
