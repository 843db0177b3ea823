#!/bin/sh
# Install what the stack needs and this machine lacks, where that is allowed: `sh tools/stack_packages.sh [faketime | wrk]`.
set -u
PATH="$PATH:/usr/sbin:/usr/local/sbin"

missing_packages() {
    command -v nginx >/dev/null || echo nginx-light
    for package in "$@"; do
        command -v "$package" >/dev/null || echo "$package"
    done
}

packages=$(missing_packages "$@")
[ -n "$packages" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || exit 0
echo "Installing" $packages
# nginx's package starts a server of its own, which nobody asked for; in runlevel 1 it does not.
install="env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $packages"
$install >/dev/null 2>&1 || { apt-get update -qq && $install >/dev/null; }
