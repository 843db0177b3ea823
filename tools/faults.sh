#!/bin/sh
# Try what becomes of the running site when a part of it fails: `sh tools/faults.sh [FILE …]`. One stack for all tests,
# in a temporary directory. FAULTS_WRITE=1 keeps the table in docs/reliability.md; FAULTS_KEEP=DIRECTORY keeps the logs.
set -u
cd "$(dirname "$0")/.."
sh tools/stack_packages.sh faketime
[ $# -gt 0 ] || set -- faults
exec .venv/bin/python -m pytest -c faults/pytest.ini --rootdir=. "$@"
