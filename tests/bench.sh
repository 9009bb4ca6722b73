#!/usr/bin/env bash
# `make bench`: starts real servers where Java and Maven are there, measures, stops them. Bounded: about five minutes.
# `bench.sh PART…` measures only these: clean, embedded, distributed.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d "${TMPDIR:-/tmp}/pagetrack-bench.XXXXXX")
finish() {
    if [ -d "$work/servers" ]; then tests/servers/down.sh "$work/servers" || true; fi
    rm -rf "$work"
}
trap finish EXIT
status=0
tests/servers/up.sh "$work/servers" || status=$?
case $status in
0)
    set -a
    # shellcheck source=/dev/null
    . "$work/servers/env"
    set +a
    ;;
3) echo "*** SKIPPED: the figures on Kafka and Cassandra need Java 17 and Maven ***" >&2 ;;
*) exit "$status" ;;
esac
cargo bench --workspace --locked --bench pipeline -- "$@"
