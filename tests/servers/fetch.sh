#!/usr/bin/env bash
# fetch.sh: fetches the servers' jars from Maven Central, once, into .cache/servers; prints nothing when they are there.
# Also sourced by up.sh for `java_17` and `jars_of`. Exit code 3: Java 17 or Maven is missing.
set -euo pipefail

SERVERS="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
ROOT="$(cd "$SERVERS/../.." && pwd)"

# missing MESSAGE: the machine lacks something; the caller skips on a laptop and fails in CI.
missing() {
    echo "$1" >&2
    exit 3
}

# java_17: prints the path of a Java 17.
java_17() {
    local java
    for java in "${JAVA_HOME:-/nonexistent}/bin/java" "$(command -v java || true)" /usr/lib/jvm/*17*/bin/java; do
        if [ -x "$java" ] && "$java" -version 2>&1 | grep -q 'version "17\.'; then
            echo "$java"
            return
        fi
    done
    missing "Java 17 is missing: install it (Debian: apt-get install openjdk-17-jre-headless) or set JAVA_HOME"
}

# jars_of NAME: the folder of NAME's jars, named by what its pom.xml asks for.
jars_of() {
    echo "$ROOT/.cache/servers/$1-$(sha256sum "$SERVERS/$1/pom.xml" | cut -c1-12)"
}

# fetch_jars NAME: fetches them unless they are there.
fetch_jars() {
    local name="$1" jars part
    jars="$(jars_of "$name")"
    [ -d "$jars" ] && return
    command -v mvn >/dev/null || missing "Maven is missing: install it (Debian: apt-get install maven)"
    echo "fetching $name from Maven Central, once" >&2
    part="$jars.part.$$"
    if ! mvn -q -B -C -f "$SERVERS/$name/pom.xml" dependency:copy-dependencies -DoutputDirectory="$part" >&2; then
        rm -rf "$part"
        echo "cannot fetch $name from Maven Central: see Maven's message above" >&2
        return 1
    fi
    mv "$part" "$jars"
}

# fetch_all: both, one caller at a time.
fetch_all() {
    mkdir -p "$ROOT/.cache/servers"
    (
        flock 9
        fetch_jars kafka
        fetch_jars cassandra
    ) 9>"$ROOT/.cache/servers/lock"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    java_17 >/dev/null
    fetch_all
fi
