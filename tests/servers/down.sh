#!/usr/bin/env bash
# down.sh FOLDER: ends the servers that up.sh started in FOLDER, and nothing else; removes FOLDER if up.sh made it up.
set -euo pipefail

if [ $# -ne 1 ] || [ ! -d "$1" ]; then
    echo "usage: down.sh FOLDER (the PAGETRACK_TEST_SERVERS that up.sh printed)" >&2
    exit 2
fi
FOLDER="$(cd "$1" && pwd)"
STOPS_WITHIN=30 # seconds, then it is killed

# is_ours PID FOLDER: whether the process is the server of FOLDER; a pid can have been given to another since.
is_ours() {
    tr '\0' ' ' <"/proc/$1/cmdline" 2>/dev/null | grep -qF -- "-Dpagetrack.folder=$2 "
}

# ask FOLDER: asks the server of FOLDER to end.
ask() {
    [ -f "$1/pid" ] || return 0
    if is_ours "$(cat "$1/pid")" "$1"; then kill "$(cat "$1/pid")" 2>/dev/null || true; fi
}

# await FOLDER: until it has ended.
await() {
    local pid until=$((SECONDS + STOPS_WITHIN))
    [ -f "$1/pid" ] || return 0
    pid="$(cat "$1/pid")"
    while is_ours "$pid" "$1"; do
        if [ "$SECONDS" -ge "$until" ]; then kill -9 "$pid" 2>/dev/null || true; fi
        sleep 0.1
    done
    rm -f "$1/pid"
}

for server in kafka cassandra; do ask "$FOLDER/$server"; done
for server in kafka cassandra; do await "$FOLDER/$server"; done
rm -f "$FOLDER/env"
if [ -f "$FOLDER/temporary" ]; then rm -rf "$FOLDER"; fi
