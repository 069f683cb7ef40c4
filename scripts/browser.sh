#!/usr/bin/env bash
# Installs Debian's Chromium for the tests of the web page, unless one is here: browser.sh
set -euo pipefail
case ${1:-} in -h | --help) sed -n '2,/^set /{/^# \{0,1\}/s///p;}' "$0"; exit ;; esac
if ! command -v chromium > /dev/null; then
    command -v apt-get > /dev/null ||
        { echo "browser.sh: install Chromium so that the command chromium is found; there is no apt-get here to do it" >&2; exit 1; }
    echo "installing Chromium ..."
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends chromium > /dev/null
fi
