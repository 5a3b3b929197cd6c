#!/bin/sh
# What haproxy knows of its servers, over a reload. By itself it takes all of them for well until their checks have failed:
# one that is down, or listed before it is there, would get requests, each of which then waits for `timeout connect`.
# Sourced by push.sh and recover.sh.
set -eu

HAPROXY_SERVERS=$STATE/haproxy-servers # "server-state-file" in haproxy.cfg

# forget_servers: for every other start; haproxy complains of a file that is not there.
forget_servers() { echo 1 >"$HAPROXY_SERVERS"; } # the version of the format

# remember_servers: from the one that runs to the one that comes.
remember_servers() {
    if "$HERE/ask.sh" unix "$HAPROXY_STATS" 'show servers state' >"$INCOMING/servers" 2>/dev/null &&
        known_servers "$INCOMING/servers" "$HAPROXY_CONFIG" >"$HAPROXY_SERVERS.new"; then
        mv "$HAPROXY_SERVERS.new" "$HAPROXY_SERVERS"
    else
        forget_servers # of one that starts without, or had none to show
    fi
}

# known_servers STATE CONFIG: prints STATE ("show servers state") for the servers that CONFIG has, where it has them. One that is
# unknown comes as down, if another one of its backend is up: where all are, as after a change of names, they are taken for well.
# Ports, and where checks ask, are CONFIG's.
known_servers() {
    awk '
        BEGIN {
            # From 2.4 on these count for more than CONFIG. With "check port" an agent has a port as well, and where there is no agent
            # haproxy complains of it.
            unsaid["srv_check_port"] = unsaid["srv_agent_port"] = 0
            unsaid["srv_check_addr"] = unsaid["srv_agent_addr"] = "-"
        }
        FNR == 1 { files++ }
        files == 1 && $1 == "#" { for (i = 2; i <= NF; i++) column[$i] = i - 1; header = $0 }
        files == 1 && header != "" && $1 != "#" && NF > 1 {
            known[$column["be_name"], $column["srv_name"]] = $0
            alike[$column["be_name"]] = $0
        }
        files == 2 && $1 ~ /^(backend|frontend|listen|defaults|global)$/ { backend = $1 == "backend" ? $2 : ""; position = 0 }
        files == 2 && $1 == "server" && backend != "" {
            total++
            in_backend[total] = backend; named[total] = $2; place[total] = $3; at[total] = ++position
            if (is_up(backend, $2, $3)) up[backend] = 1
        }
        END {
            if (header == "") exit 1
            print 1
            print header
            for (n = 1; n <= total; n++) tell(in_backend[n], named[n], place[n], at[n])
        }
        function address_of(where) { sub(/:[0-9]+$/, "", where); return where }
        function is_known(backend, name, where) {
            if (!((backend, name) in known)) return 0
            split(known[backend, name], field, " ")
            return field[column["srv_addr"]] == address_of(where)
        }
        function is_up(backend, name, where) {
            return is_known(backend, name, where) && field[column["srv_op_state"]] == 2 && field[column["srv_admin_state"]] == 0
        }
        function tell(backend, name, where, position,    line, i) {
            if (!is_known(backend, name, where)) {
                if (!up[backend]) return
                split(alike[backend], field, " ")
                field[column["srv_id"]] = position
                field[column["srv_name"]] = name
                field[column["srv_check_result"]] = 2 # failed
                field[column["srv_op_state"]] = field[column["srv_admin_state"]] = field[column["srv_check_health"]] = 0
                field[column["srv_addr"]] = address_of(where)
            }
            if ("srv_port" in column) { sub(/^.*:/, "", where); field[column["srv_port"]] = where }
            for (name in unsaid) if (name in column) field[column[name]] = unsaid[name]
            line = ""
            for (i = 1; i in field; i++) line = line (i > 1 ? " " : "") field[i]
            print line
        }
    ' "$1" "$2"
}
