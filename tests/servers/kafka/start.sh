# shellcheck shell=bash
# Sourced by up.sh: one Kafka broker, its own controller, on loopback.

# configure_kafka FOLDER PORT CONTROLLER_PORT: writes its settings.
configure_kafka() {
    cat >"$1/server.properties" <<EOF
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$3
listeners=PLAINTEXT://127.0.0.1:$2,CONTROLLER://127.0.0.1:$3
advertised.listeners=PLAINTEXT://127.0.0.1:$2
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs=$1/data
auto.create.topics.enable=false
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=true
EOF
}

# start_kafka JAVA JARS FOLDER PORT: starts it in the background; its log and pid are in FOLDER.
start_kafka() {
    local java="$1" jars="$2" folder="$3" port="$4"
    mkdir -p "$folder"
    configure_kafka "$folder" "$port" "$(free_port)"
    if [ ! -f "$folder/data/meta.properties" ]; then
        "$java" -cp "$jars/*" kafka.tools.StorageTool format -t UGFnZXRyYWNrVGVzdEsxMg -c "$folder/server.properties" \
            >"$folder/format.log" 2>&1 || { echo "cannot format Kafka's storage: see $folder/format.log" >&2; return 1; }
    fi
    setsid nohup "$java" -Xms256m -Xmx512m "-Dpagetrack.folder=$folder" -cp "$jars/*" \
        kafka.Kafka "$folder/server.properties" >"$folder/log" 2>&1 </dev/null &
    echo $! >"$folder/pid"
}

# acl_kafka JAVA JARS PORT ARG...: changes who may do what; its log goes to standard error.
acl_kafka() {
    local java="$1" jars="$2" port="$3"
    "$java" -cp "$jars/*" kafka.admin.AclCommand --bootstrap-server "127.0.0.1:$port" --add "${@:4}" >&2
}

# restrict_kafka JAVA JARS PORT: three topics on which a right is missing, for the tests of what is said then. All else
# stays allowed to everybody.
restrict_kafka() {
    acl_kafka "$@" --allow-principal 'User:*' --operation All --topic unreadable.input --topic unwritable.processed
    acl_kafka "$@" --deny-principal User:ANONYMOUS --operation Read --topic unreadable.input
    acl_kafka "$@" --deny-principal User:ANONYMOUS --operation Write --topic unwritable.processed
    acl_kafka "$@" --deny-principal User:ANONYMOUS --operation Describe --topic unseen.input
}
