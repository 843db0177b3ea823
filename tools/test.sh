#!/bin/sh
# Run the tests: `sh tools/test.sh [FILE …]`. Without a file: everything on PostgreSQL, then what needs a database
# again on SQLite. It installs the programs that the tests need where it can, and says what it cannot.
set -u
cd "$(dirname "$0")/.."

has_chromium() {
    [ -x /usr/bin/chromium ] || .venv/bin/python - <<'PROBE' 2>/dev/null
import pathlib, sys
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    sys.exit(not pathlib.Path(playwright.chromium.executable_path).exists())
PROBE
}

# Debian's packages of the programs that are missing.
missing_packages() {
    has_chromium || echo chromium
    command -v firefox-esr >/dev/null || command -v firefox >/dev/null || echo firefox-esr
    command -v openssl >/dev/null || echo openssl
    command -v curl >/dev/null || echo curl
    command -v softhsm2-util >/dev/null || echo softhsm2
    command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || echo nginx-light
    command -v wrk >/dev/null || echo wrk
    command -v javac >/dev/null && keytool -help >/dev/null 2>&1 || echo default-jdk-headless
}

install_missing() {
    packages=$(missing_packages)
    [ -n "$packages" ] || return 0
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing" $packages
        # In runlevel 1 no package starts the server that it brings (nginx would, on port 80): tests start their own.
        RUNLEVEL=1
        export RUNLEVEL
        # The lists of a fresh machine may be old or empty: they are fetched only where the install needs them.
        { DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages ||
            { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages; }
        } >/dev/null 2>&1
    elif echo "$packages" | grep -q chromium; then
        .venv/bin/playwright install chromium >/dev/null 2>&1
    fi
    packages=$(missing_packages)
    [ -z "$packages" ] || echo "Tests that need these programs will fail, because they could not be installed here:" $packages >&2
}

install_missing
# Each process that a test starts reads the modules: compiled once, they cost it a quarter less.
unset PYTHONDONTWRITEBYTECODE
if [ $# -gt 0 ]; then
    exec .venv/bin/python -m pytest "$@"
fi
failed=0
.venv/bin/python -m tools.run_tests || failed=1
echo "Again on SQLite: the tests that need a database"
DATABASE=sqlite .venv/bin/python -m tools.run_tests -m "database and not postgresql and not browser" || failed=1
exit $failed
