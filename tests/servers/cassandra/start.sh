# shellcheck shell=bash
# Sourced by up.sh: one Cassandra node on loopback.

# configure_cassandra FOLDER PORT STORAGE_PORT: writes its settings; from storage_compatibility_mode on those that
# Cassandra 5 recommends for new clusters (its cassandra_latest.yaml).
configure_cassandra() {
    cat >"$1/cassandra.yaml" <<EOF
cluster_name: pagetrack
num_tokens: 16
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
seed_provider: [{class_name: org.apache.cassandra.locator.SimpleSeedProvider, parameters: [{seeds: "127.0.0.1:$3"}]}]
storage_port: $3
native_transport_port: $2
listen_address: 127.0.0.1
rpc_address: 127.0.0.1
endpoint_snitch: SimpleSnitch
commitlog_sync: periodic
commitlog_sync_period: 10000ms
data_file_directories: ["$1/data"]
commitlog_directory: "$1/commitlog"
saved_caches_directory: "$1/saved"
hints_directory: "$1/hints"
cdc_raw_directory: "$1/cdc"
# Each test has a keyspace, and each keyspace statements: all tests together have needed more than 64 MiB. What does not
# fit is refused, and refused again when it is prepared anew.
prepared_statements_cache_size: 256MiB
storage_compatibility_mode: NONE
memtable_allocation_type: offheap_objects
memtable:
  configurations:
    trie: {class_name: TrieMemtable}
    default: {inherits: trie}
sstable: {selected_format: bti}
default_compaction:
  class_name: UnifiedCompactionStrategy
  parameters: {scaling_parameters: T4, max_sstables_to_compact: 64, target_sstable_size: 1GiB, sstable_growth: 0.3333333333333333, min_sstable_size: 100MiB}
EOF
}

# start_cassandra JAVA JARS FOLDER PORT: starts it in the background; its log and pid are in FOLDER.
start_cassandra() {
    local java="$1" jars="$2" folder="$3" port="$4" jamm
    mkdir -p "$folder"
    configure_cassandra "$folder" "$port" "$(free_port)"
    jamm="$(echo "$jars"/jamm-*.jar)"
    setsid nohup "$java" -Xms512m "-Xmx${CASSANDRA_HEAP:-1g}" -XX:+UseG1GC "-javaagent:$jamm" -Djdk.attach.allowAttachSelf=true \
        "@$SERVERS/cassandra/jvm17.options" "-Dpagetrack.folder=$folder" \
        "-Dcassandra.config=file://$folder/cassandra.yaml" "-Dcassandra.storagedir=$folder" \
        "-Dlogback.configurationFile=file://$SERVERS/cassandra/logback.xml" -Dcassandra-foreground=yes \
        -Dcassandra.skip_wait_for_gossip_to_settle=0 -Dcassandra.ring_delay_ms=0 \
        -cp "$jars/*" org.apache.cassandra.service.CassandraDaemon >"$folder/log" 2>&1 </dev/null &
    echo $! >"$folder/pid"
}
