#!/usr/bin/env bash
# `make test`: dashboard, Rust, journeys on real Kafka and Cassandra, a real browser; then one line with the counts.
# In CI whatever is missing is a failure. Elsewhere it is a skip that says so.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d "${TMPDIR:-/tmp}/pagetrack-test.XXXXXX")
log="$work/log"
skipped=()
failed=()

finish() {
    if [ -d "$work/servers" ]; then tests/servers/down.sh "$work/servers" || true; fi
    rm -rf "$work"
}
trap finish EXIT

# Some set it to say no; the tests look whether it is there.
if [ "${CI:-}" = false ] || [ -z "${CI:-}" ]; then unset CI; fi
in_ci() { [ -n "${CI:-}" ]; }

# What is not there: a failure in CI, a skip elsewhere.
missing() {
    if in_ci; then
        echo "FAILED: $1" >&2
        failed+=("$1")
    else
        printf '\n*** SKIPPED: %s ***\n\n' "$1" >&2
        skipped+=("$1")
    fi
}

# Runs a step, keeps its output for the counts, remembers its failure, says how long it took.
step() {
    local name=$1 begun=$SECONDS
    shift
    printf '\n== %s\n' "$name"
    if ! "$@" 2>&1 | tee -a "$log"; then failed+=("$name"); fi
    printf -- '-- %s: %d s\n' "$name" $((SECONDS - begun))
}

start_servers() {
    local status=0
    # Each of a hundred keyspaces has thirty tables and twice as many statements, and each takes memory.
    CASSANDRA_HEAP=2g tests/servers/up.sh "$work/servers" || status=$?
    case $status in
    0)
        set -a
        # shellcheck source=/dev/null
        . "$work/servers/env"
        set +a
        ;;
    3) missing "suites and journeys on real Kafka and Cassandra: they need Java 17 and Maven (the suites count as passed)" ;;
    *)
        failed+=("servers")
        tail -n 40 "$work"/servers/*/log >&2 || true
        ;;
    esac
}

find_browser() {
    command -v chromium && return
    if in_ci && [ "$(id -u)" = 0 ]; then
        apt-get update -qq >&2 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >&2 && command -v chromium
    else
        return 1
    fi
}

: >"$log"
step "dashboard: build" make --no-print-directory web
step "dashboard: types and unit tests" sh -c 'cd web && npm run --silent check && npm run --silent test'
step "build" cargo build --workspace --all-targets --locked
printf '\n== servers\n'
start_servers
step "rust" cargo test --workspace --locked --no-fail-fast

if ! python3 -c 'import ensurepip, sys; assert sys.version_info >= (3, 11)' 2>/dev/null; then
    missing "the tutorial's Python program: it needs Python 3.11 with venv (the suite counts it as skipped)"
fi
step "protocols" env PAGETRACK_BIN="$PWD/target/debug/pagetrack" sh -c 'cd web && npm run --silent protocol'
if browser=$(find_browser); then
    step "browser" env PAGETRACK_BIN="$PWD/target/debug/pagetrack" PAGETRACK_CHROMIUM="$browser" sh -c 'cd web && npm run --silent e2e'
else
    missing "browser journey: it needs chromium (Debian: apt-get install chromium)"
fi

# Cargo's and the dashboard's closing lines (`test result: ok. 12 passed; 0 failed`, `Tests  12 passed (12)`), and the
# journeys' (`journeys: memory+embedded 5, …`).
plain() { sed 's/\x1b\[[0-9;]*m//g' "$log"; }
count() { { plain | grep -E '^test result:|^ *Tests ' | grep -oE "[0-9]+ $1" || true; } | awk '{n += $1} END {print n + 0}'; }
journeys() { { plain | grep -E '^journeys: ' | sed 's/;.*//' | grep -oE ' [0-9]+' || true; } | awk '{n += $1} END {print n + 0}'; }
passed=$(($(count passed) + $(journeys)))
broken=$(count failed)
if [ "$passed" -eq 0 ]; then failed+=("no test ran"); fi
if [ ${#failed[@]} -gt 0 ] && [ "$broken" -eq 0 ]; then broken=${#failed[@]}; fi

printf '\n'
plain | grep -E '^journeys: ' || true
for name in ${skipped[@]+"${skipped[@]}"}; do echo "skipped: $name"; done
for name in ${failed[@]+"${failed[@]}"}; do echo "failed: $name"; done
echo "$passed passed, $broken failed, ${#skipped[@]} skipped"
[ ${#failed[@]} -eq 0 ]
