#!/bin/sh
# What data this node has, what the other nodes say of theirs, and whether this one may found the cluster. Sourced, after
# common.sh, by push.sh and by the scripts of Galera.
#
# shellcheck disable=SC2034 # variables for those who source it
set -eu

GALERA=/etc/ha-cluster/galera # NODES, NODE, DATABASE, DATABASE_USER
GRASTATE=/var/lib/mysql/grastate.dat
JOINED=$STATE/galera-joined # this machine was once synced: its cluster exists
MAY_FOUND=$STATE/may-found  # this machine may found the cluster, once; see galera-founding.sh
POSITION=/run/ha-cluster-position # UUID:SEQNO of a MariaDB that does not run, where its file does not say it
GALERA_PORT=4567
STATUS_PORT=9200
NONE_RUNS='docs/recover.md of ha-cluster, "No database runs"'
REFUSES='docs/recover.md of ha-cluster, "A database refuses to start"'

peers() {
    self=$(setting "$GALERA" NODE)
    for node in $(setting "$GALERA" NODES); do [ "$node" = "$self" ] || echo "$node"; done
}

# position_on_disk: "UUID:SEQNO" of the data here, or "nothing". The file has no seqno while MariaDB runs, nor after a crash or a
# start that found no cluster.
position_on_disk() {
    uuid=$(sed -n 's/^uuid: *//p' $GRASTATE 2>/dev/null) || uuid=
    seqno=$(sed -n 's/^seqno: *//p' $GRASTATE 2>/dev/null) || seqno=
    case $uuid in
    *[1-9a-f]*) ;;
    *) echo nothing && return ;;
    esac
    case $seqno in '' | -*) seqno=$(sed -n "s/^$uuid://p" $POSITION 2>/dev/null) || seqno= ;; esac
    echo "$uuid:${seqno:-unknown}"
}

# recovered UUID: the seqno in the data of a MariaDB that does not run. mariadb.service looks for it in the same way.
recovered() { galera_recovery 2>/dev/null | sed -n "s/^--wsrep_start_position=$1:\([0-9]*\).*/\1/p"; }

# recover_position: for this node's status service as well. The next start of MariaDB forgets it; see galera-guard.sh.
recover_position() {
    known=$(position_on_disk)
    case $known in *:unknown) ;; *) return 0 ;; esac
    [ "$(systemctl show -p MainPID --value mariadb)" = 0 ] || return 0
    seqno=$(recovered "${known%:*}")
    [ -z "$seqno" ] || (umask 022 && echo "${known%:*}:$seqno" >$POSITION)
}

# marked: Galera marks the last that leaves.
marked() { grep -qs '^safe_to_bootstrap: *1' $GRASTATE; }

# ask_peer ADDRESS: "MODE UUID:SEQNO", as its status service has it: primary (in a cluster that runs), marked (stopped, was the
# last to leave) or waiting (neither). The service of an older version does not tell: primary or old, and unknown. Where
# there is none, closed; no answer, silent.
ask_peer() {
    synced=yes
    answer=$("$HERE/ask.sh" http "$1" $STATUS_PORT / 5 2>&1) || synced=
    has=$(printf '%s\n' "$answer" | sed -n 's/^has \([^ ]*\), \([a-z]*\)$/\2 \1/p')
    if [ -n "$has" ]; then
        echo "$has"
    elif [ -n "$synced" ]; then
        echo 'primary unknown'
    else
        case $answer in
        HTTP/*) echo 'old unknown' ;;
        *refused*) echo 'closed -' ;;
        *) echo 'silent -' ;;
        esac
    fi
}

# ask_peers: a line "ADDRESS MODE UUID:SEQNO" of each; all at once, as each may be silent for seconds.
ask_peers() {
    {
        for peer in $(peers); do (echo "$peer $(ask_peer "$peer")") & done
        wait
    } | sort
}

# Conditions for of_table.
OTHER_DATA='data && uuid != "unknown" && uuid != own'
MORE_DATA='data && uuid == own && seqno != "unknown" && least != "unknown" && seqno + 0 > least + 0'

# of_table CONDITION [UUID SEQNO]: the addresses in TABLE for which awk's CONDITION on mode, uuid and seqno holds.
of_table() {
    printf '%s\n' "$TABLE" | awk -v "own=${2-}" -v "least=${3-}" '
        NF { mode = $2; split($3, part, ":"); uuid = part[1]; seqno = part[2]; data = uuid !~ /^(nothing|-)$/ }
        NF && ('"$1"') { printf "%s%s", between, $1; between = " " }
    '
}

# nodes_say: TABLE and this node's own line, for people.
nodes_say() {
    printf '%s (this node) %s %s\n%s\n' "$(setting "$GALERA" NODE)" here "$MINE" "$TABLE" | awk '
        NF {
            mode = $(NF - 1); data = $NF; sub(/ [^ ]+ [^ ]+$/, "")
            if (mode == "closed") says = "has no status service"
            else if (mode == "silent") says = "does not answer"
            else if (mode == "old") says = "was pushed to, and does not say what data it has"
            else if (data == "nothing") says = "has no data"
            else says = "has " data
            if (mode == "primary") says = says ", in a cluster that runs"
            if (mode == "marked") says = says ", was the last to leave"
            print "    " $0 " " says
        }
    '
}

# decide CLOSED: DECISION is found, join or wait; WHY it waits is for people. A second cluster would split the data, so
# silence is no proof that there is none. A machine without a status service has nothing only where a first build may be
# under way (CLOSED is nothing): at a boot it is one that is not up yet (silent).
decide() {
    TABLE=$(ask_peers) MINE=$(position_on_disk) WHY=
    CLOSED=$1
    if [ -n "$(of_table 'mode == "primary"')" ]; then
        DECISION='join'
        return
    fi
    if [ "$MINE" = nothing ]; then why_not_found; else why_not_go_on; fi
    DECISION='found'
    [ -n "$WHY" ] || return 0
    DECISION='wait'
    WHY="No cluster of databases runs, and this node does not found one: $WHY.
$(nodes_say)
See $NONE_RUNS."
}

why_not_found() {
    have=$(of_table 'data')
    if [ -n "$have" ]; then
        WHY="it has no data, and $have has"
    elif [ -e "$JOINED" ]; then
        WHY="it has no data any more, and once was in a cluster"
    elif [ ! -e "$MAY_FOUND" ]; then
        WHY="it has no data, and only the first build of a stack founds a cluster"
    else
        why_silent
    fi
}

# For a node that has data, of a cluster that it would take up again.
why_not_go_on() {
    set -- "${MINE%:*}" "${MINE#*:}"
    other=$(of_table "$OTHER_DATA" "$@")
    more=$(of_table "$MORE_DATA" "$@")
    untold=$(of_table 'uuid == "unknown"')
    last=$(of_table 'mode == "marked"')
    if [ -n "$other" ]; then
        WHY="$other has data of another cluster"
    elif [ -n "$more" ]; then
        WHY="$more has more of the same data"
    elif ! marked && [ -n "$last" ]; then
        WHY="$last was the last to leave, and has to start it (systemctl status galera-boot there)"
    elif ! marked; then
        WHY="it was not the last to leave, nor was any other that answers"
    elif [ -n "$untold" ]; then
        WHY="$untold has to get the scripts of this version first"
    else
        why_silent
    fi
}

why_silent() {
    quiet=$(of_table "mode == \"silent\" || mode == \"closed\" && \"$CLOSED\" == \"silent\"")
    [ -z "$quiet" ] || WHY="$quiet does not answer, and may have data"
}
