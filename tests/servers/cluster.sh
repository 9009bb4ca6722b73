#!/usr/bin/env bash
# cluster.sh [FOLDER]: a real Kafka and Cassandra for the distributed mode, until Ctrl-C. Files in FOLDER (./data/cluster).
#
# Ports 9092 and 9042 where they are free. What is stored stays for the next start.
set -euo pipefail

HERE="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
ROOT="$(cd "$HERE/../.." && pwd)"
# shellcheck source=ports.sh
source "$HERE/ports.sh"

FOLDER="${1:-$ROOT/data/cluster}"

# stop: ends both servers cleanly.
# shellcheck disable=SC2317 # called by the trap
stop() {
    trap '' INT TERM
    echo "stopping Kafka and Cassandra" >&2
    "$HERE/down.sh" "$FOLDER"
}

# print_commands KAFKA CASSANDRA: what runs the distributed mode, each in a terminal of its own.
print_commands() {
    local bus="$1" store="$2/pagetrack"
    cat <<EOF

Kafka and Cassandra are up; their files are in $FOLDER. The tables, once:

  target/release/pagetrack migrate --store $store

then each in a terminal of its own:

  target/release/producer --bus $bus
  target/release/cleaner --bus $bus
  target/release/writer --bus $bus --store $store
  target/release/pagetrack serve --bus $bus --store $store

Ctrl-C here stops both servers.
EOF
}

# is_up SERVER: whether it still runs.
is_up() {
    kill -0 "$(cat "$FOLDER/$1/pid")" 2>/dev/null
}

KAFKA_PORT="$(port_or_free 9092)"
CASSANDRA_PORT="$(port_or_free 9042)"
export KAFKA_PORT CASSANDRA_PORT
echo "starting Kafka and Cassandra (half a minute)" >&2
RESTRICT_KAFKA=no "$HERE/up.sh" "$FOLDER" >/dev/null
trap 'exit 0' INT TERM
trap stop EXIT
print_commands "kafka://127.0.0.1:$KAFKA_PORT" "cassandra://127.0.0.1:$CASSANDRA_PORT"
while is_up kafka && is_up cassandra; do sleep 1; done
echo "a server ended by itself: see $FOLDER/kafka/log and $FOLDER/cassandra/log" >&2
exit 1
