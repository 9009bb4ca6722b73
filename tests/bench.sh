#!/usr/bin/env bash
# `make bench`: starts real servers where Java and Maven are there, measures, stops them. Bounded: ten minutes.
# `bench.sh PART…` measures only these: clean, embedded, distributed, stored, or of that only sealing; or live; `large` with
# PAGETRACK_BENCH_LARGE=FOLDER, in which the servers' files and what was filled stay.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d "${TMPDIR:-/tmp}/pagetrack-bench.XXXXXX")
servers="$work/servers"
if [ -n "${PAGETRACK_BENCH_LARGE:-}" ]; then
    mkdir -p "$PAGETRACK_BENCH_LARGE"
    PAGETRACK_BENCH_LARGE="$(cd "$PAGETRACK_BENCH_LARGE" && pwd)"
    export PAGETRACK_BENCH_LARGE
    servers="$PAGETRACK_BENCH_LARGE/servers"
fi
finish() {
    if [ -d "$servers" ]; then tests/servers/down.sh "$servers" || true; fi
    rm -rf "$work"
}
trap finish EXIT
status=0
tests/servers/up.sh "$servers" || status=$?
case $status in
0)
    set -a
    # shellcheck source=/dev/null
    . "$servers/env"
    set +a
    ;;
3) echo "*** SKIPPED: the figures on Kafka and Cassandra need Java 17 and Maven ***" >&2 ;;
*) exit "$status" ;;
esac
cargo bench --workspace --locked --bench pipeline -- "$@"
