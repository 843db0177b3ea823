#!/bin/sh
# Pin the libraries of pyproject.toml, for every Python from 3.11 on, and those of package.json, all with hashes:
# `sh tools/lock.sh`. It needs a network.
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

# package.json names exact versions; this pins what they bring. .npmrc keeps addresses out of it. Elsewhere, because npm
# forgets hashes of what it finds in node_modules.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp package.json .npmrc "$folder"
PATH="$PWD/.venv/bin:$PATH"
(cd "$folder" && npm install --package-lock-only --loglevel=error)
# Where packages ask for money is no part of a pin, and it names hosts.
.venv/bin/python - "$folder/package-lock.json" <<'STRIP'
import json, pathlib, sys
lock = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
for package in lock["packages"].values():
    package.pop("funding", None)
pathlib.Path("package-lock.json").write_text(json.dumps(lock, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
STRIP
