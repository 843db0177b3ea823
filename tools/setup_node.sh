#!/bin/sh
# Install the pinned libraries of the browser's code into node_modules: `sh tools/setup_node.sh`. Node and npm are those
# in .venv, which requirements-dev.txt brings. It does nothing where package-lock.json is that of the last time.
set -eu
cd "$(dirname "$0")/.."
installed=node_modules/.installed-from.json
if cmp -s package-lock.json "$installed"; then
    exit 0
fi
# npm's own scripts look for node on the path.
PATH="$PWD/.venv/bin:$PATH"
echo "Installing package-lock.json (once; later starts take seconds)"
# No package may run a script of its own here, nor download anything beside what is pinned.
npm ci --ignore-scripts --loglevel=error
cp package-lock.json "$installed"
