#!/bin/sh
# Run the production site on this machine without containers: `sh tools/stack.sh [DIRECTORY]`. Installs nginx where it
# may.
set -u
cd "$(dirname "$0")/.."
PATH="$PATH:/usr/sbin:/usr/local/sbin"
if ! command -v nginx >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing nginx-light"
    # Its package starts a server of its own, which nobody asked for.
    install="env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends nginx-light"
    $install >/dev/null 2>&1 || { apt-get update -qq && $install >/dev/null; }
fi
exec .venv/bin/python -m tools.stack "$@"
