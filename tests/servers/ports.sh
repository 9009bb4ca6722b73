# shellcheck shell=bash
# Sourced: which ports of the loopback interface are free.

# is_free PORT: whether nobody listens there.
is_free() {
    ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# free_port: prints one below the range from which the kernel takes ports for connections.
free_port() {
    local port
    for _ in $(seq 100); do
        port=$((20000 + RANDOM % 12000))
        if is_free "$port"; then
            echo "$port"
            return
        fi
    done
    echo "no free port from 20000 to 32000" >&2
    return 1
}

# port_or_free PORT: PORT if it is free, another otherwise.
port_or_free() {
    if is_free "$1"; then echo "$1"; else free_port; fi
}
