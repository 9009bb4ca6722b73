#!/usr/bin/env bash
# up.sh [FOLDER]: starts a real Kafka and a real Cassandra on loopback and waits until both serve.
#
# Their files are in FOLDER (default: a fresh temporary one, which down.sh removes). Ports are free ones, or KAFKA_PORT and
# CASSANDRA_PORT; CASSANDRA_HEAP is 1g, or what is given. RESTRICT_KAFKA=no leaves out the topics on which a right is
# missing. Prints, and writes to FOLDER/env, what the tests read:
#   PAGETRACK_TEST_SERVERS=FOLDER
#   PAGETRACK_TEST_KAFKA=kafka://HOST:PORT
#   PAGETRACK_TEST_CASSANDRA=cassandra://HOST:PORT
# End them with: down.sh FOLDER. Exit code 3: Java 17 or Maven is missing.
set -euo pipefail

HERE="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=fetch.sh
source "$HERE/fetch.sh"
# shellcheck source=ports.sh
source "$HERE/ports.sh"
# shellcheck source=kafka/start.sh
source "$HERE/kafka/start.sh"
# shellcheck source=cassandra/start.sh
source "$HERE/cassandra/start.sh"

READY_WITHIN=180 # seconds; 22 on an idle machine with two cores

# wait_ready NAME FOLDER PORT LINE: until its log has LINE and its port answers.
wait_ready() {
    local name="$1" folder="$2" port="$3" line="$4" pid until=$((SECONDS + READY_WITHIN))
    pid="$(cat "$folder/pid")"
    until grep -q "$line" "$folder/log" && ! is_free "$port"; do
        if ! kill -0 "$pid" 2>/dev/null; then
            echo "$name ended while it started: see $folder/log" >&2
            return 1
        fi
        if [ "$SECONDS" -ge "$until" ]; then
            echo "$name was not ready within $READY_WITHIN s: see $folder/log" >&2
            return 1
        fi
        sleep 0.2
    done
}

# use_folder [FOLDER]: sets FOLDER, absolute, not in use.
use_folder() {
    if [ $# -eq 0 ]; then
        FOLDER="$(mktemp -d "${TMPDIR:-/tmp}/pagetrack-servers.XXXXXX")"
        touch "$FOLDER/temporary"
    else
        mkdir -p "$1"
        FOLDER="$(cd "$1" && pwd)"
    fi
    local pid
    for pid in "$FOLDER"/*/pid; do
        if [ -f "$pid" ] && kill -0 "$(cat "$pid")" 2>/dev/null; then
            echo "servers already run in $FOLDER: end them with $HERE/down.sh $FOLDER" >&2
            exit 1
        fi
    done
}

# give_up: a start that did not succeed leaves nothing running; the logs stay.
give_up() {
    rm -f "$FOLDER/temporary"
    "$HERE/down.sh" "$FOLDER" >&2
}

JAVA="$(java_17)"
fetch_all
use_folder "$@"
trap give_up EXIT
KAFKA_PORT="${KAFKA_PORT:-$(free_port)}"
CASSANDRA_PORT="${CASSANDRA_PORT:-$(free_port)}"
start_cassandra "$JAVA" "$(jars_of cassandra)" "$FOLDER/cassandra" "$CASSANDRA_PORT"
start_kafka "$JAVA" "$(jars_of kafka)" "$FOLDER/kafka" "$KAFKA_PORT"
wait_ready Kafka "$FOLDER/kafka" "$KAFKA_PORT" "Kafka Server started"
if [ "${RESTRICT_KAFKA:-yes}" = yes ]; then
    restrict_kafka "$JAVA" "$(jars_of kafka)" "$KAFKA_PORT" 2>"$FOLDER/kafka/acl.log" ||
        { echo "cannot restrict Kafka's topics: see $FOLDER/kafka/acl.log" >&2; exit 1; }
fi
wait_ready Cassandra "$FOLDER/cassandra" "$CASSANDRA_PORT" "Starting listening for CQL"
cat >"$FOLDER/env" <<EOF
PAGETRACK_TEST_SERVERS=$FOLDER
PAGETRACK_TEST_KAFKA=kafka://127.0.0.1:$KAFKA_PORT
PAGETRACK_TEST_CASSANDRA=cassandra://127.0.0.1:$CASSANDRA_PORT
EOF
trap - EXIT
cat "$FOLDER/env"
