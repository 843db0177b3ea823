#!/bin/sh
# Run the production site on this machine without containers: `sh tools/stack.sh [DIRECTORY]`. Installs nginx where it
# may.
set -u
cd "$(dirname "$0")/.."
sh tools/stack_packages.sh
exec .venv/bin/python -m tools.stack "$@"
