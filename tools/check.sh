#!/bin/sh
# Every check of the project that is no test: `sh tools/check.sh`. All of them run; the last line names those that failed.
set -u
cd "$(dirname "$0")/.."
STATE_DIR=$(mktemp -d)
export STATE_DIR
trap 'rm -rf "$STATE_DIR"' EXIT
PATH="$PWD/.venv/bin:$PATH"
failed=""

# check NAME COMMAND …: run the command and note its name where it fails.
check() {
    name=$1
    shift
    echo "== $name"
    "$@" || failed="$failed, $name"
}

check "lint" ruff check .
check "format" ruff format --check .
check "types" mypy .
check "imports" lint-imports
check "sources" python -m tools.check_sources
check "templates" python -m tools.check_templates
check "pins" python -m tools.check_pins
check "scripts" node tools/check_scripts.mjs
check "bundles" node tools/build_browser.mjs --check
check "migrations" python manage.py makemigrations --check --dry-run
check "migrations without downtime" python -m tools.lint_migrations
check "settings" python manage.py check --fail-level WARNING
check "vulnerabilities" python -m tools.audit_pins

if [ -n "$failed" ]; then
    echo "check: failed: ${failed#, }" >&2
    exit 1
fi
echo "check: everything passed"
