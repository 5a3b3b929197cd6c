#!/bin/sh
# Lets the machine's own daemons judge the new files before anything live is touched. Sourced by push.sh.
#
# They judge a *view*: the live files of both bundles, the new ones over them, and in the texts every
# path of such a file rewritten to its place in the view, so that an include or a certificate means
# the new one.
set -eu

RELAY_RULES=/etc/ha-cluster/relay.nft

VIEW=$INCOMING/view

# build_view LIST TREE: for the bundle in LIST and TREE; the other one's files are the live ones.
build_view() {
    rm -rf "$VIEW" "$INCOMING/raw"
    mkdir -p "$INCOMING/raw"
    [ ! -e "$STATE/owned/$OTHER_BUNDLE" ] || while read -r path; do
        [ ! -e "$path" ] || (cd / && cp -L --parents ".$path" "$INCOMING/raw")
    done <"$STATE/owned/$OTHER_BUNDLE"
    cp -r "$2/." "$INCOMING/raw"
    (cd "$INCOMING/raw" && find . -type f | sed 's/^\.//') >"$INCOMING/view-paths"
    cp -r "$INCOMING/raw" "$VIEW"
    rewrite_paths
}

# rewrite_paths: a path counts only where it stands alone, not inside a longer one. A directory
# that holds nothing but secrets ("crt /etc/haproxy/certs") counts as well.
rewrite_paths() {
    find "$INCOMING/raw" -type f -exec awk -v raw="$INCOMING/raw" -v view="$VIEW" -v paths="$INCOMING/view-paths" '
        function inside(letter) { return letter ~ /[A-Za-z0-9._\/-]/ } # a path goes on with this letter
        BEGIN {
            while ((getline path < paths) > 0) known[path]
            known["/etc/haproxy/certs"]
        }
        FNR == 1 {
            if (rewritten) close(rewritten)
            rewritten = view substr(FILENAME, length(raw) + 1)
        }
        {
            for (path in known) {
                done = ""
                while (at = index($0, path)) {
                    done = done substr($0, 1, at - 1)
                    $0 = substr($0, at + length(path))
                    alone = !inside(substr(done, length(done))) && !inside(substr($0, 1, 1))
                    done = done (alone ? view : "") path
                }
                $0 = done $0
            }
            print >rewritten
        }
    ' {} +
}

# in_view PATH: whether the view holds it.
in_view() { [ -e "$VIEW$1" ]; }

# judge NAME COMMAND…: refuses when COMMAND fails. Its words name the real paths again.
judge() {
    name=$1
    shift
    answer=0
    "$@" >"$INCOMING/judgement" 2>&1 </dev/null || answer=$?
    [ $answer -eq 0 ] || refuse_with "$name refuses the new files (exit code $answer)"
}

# judge_strictly NAME COMMAND…: refuses mere complaints as well.
judge_strictly() {
    judge "$@"
    [ ! -s "$INCOMING/judgement" ] || refuse_with "$1 complains about the new files"
}

refuse_with() {
    echo "$1:" >&2
    sed "/^\[NOTICE\]/d; s|$VIEW||g; s/^/    /" "$INCOMING/judgement" >&2
    exit 1
}

# keepalived -t says 0 and complains when an include is missing, and other than 0 for mere warnings:
# only silence is consent. haproxy -dW makes its warnings errors.
validate_haproxy() {
    in_view /etc/haproxy/haproxy.cfg || return 0
    # One that a push left which was killed in its reload: haproxy warns of each server that is down there, also with -c.
    forget_servers
    strictly=
    ! understands HAPROXY_STRICT || strictly=-dW
    # shellcheck disable=SC2086 # one word or none
    judge haproxy haproxy -c $strictly -f "$VIEW/etc/haproxy/haproxy.cfg"
}

validate_keepalived() {
    in_view /etc/keepalived/keepalived.conf || return 0
    if understands KEEPALIVED_TEST; then
        judge_strictly keepalived keepalived -t -f "$VIEW/etc/keepalived/keepalived.conf"
    else
        judge keepalived read_keepalived "$VIEW/etc/keepalived/keepalived.conf"
    fi
}

# "nft -c" also looks at the live ruleset: what it accepts here, it accepts a second later.
# The relay's rules name a device, which a first push has yet to make.
validate_nftables() {
    ! in_view /etc/nftables.conf || judge nft nft -c -f "$VIEW/etc/nftables.conf"
    if in_view "$RELAY_RULES" && [ -d /sys/class/net/ha-relay ]; then judge nft nft -c -f "$VIEW$RELAY_RULES"; fi
}

validate_interfaces() {
    if in_view /etc/network/interfaces && command -v ifquery >/dev/null; then
        judge ifquery ifquery -i "$VIEW/etc/network/interfaces" --list --all
    fi
}

# mariadbd --help reads and checks its options and starts nothing. A bad value may leave the exit
# code at 0 and only say [ERROR].
validate_mariadb() {
    in_view /etc/mysql/mariadb.conf.d/60-ha-cluster.cnf || return 0
    judge mariadbd mariadbd --defaults-file="$VIEW/etc/mysql/mariadb.conf.d/60-ha-cluster.cnf" \
        --user=mysql --help --verbose
    sed -i '/\[ERROR\]/!d' "$INCOMING/judgement"
    [ ! -s "$INCOMING/judgement" ] || refuse_with "mariadbd complains about the new files"
}

# The exit code says whether the unit itself is sound; warnings about other units are left alone.
validate_units() {
    units=
    while read -r path; do
        case $path in
        /etc/systemd/system/*.d/*) unit=${path%/*} && unit=${unit##*/} && units="$units ${unit%.d}" ;;
        /etc/systemd/system/*@.*) units="$units $(echo "${path##*/}" | sed 's/@\./@view./')" ;;
        /etc/systemd/system/*) units="$units ${path##*/}" ;;
        esac
    done <"$INCOMING/view-paths"
    # shellcheck disable=SC2086 # one word per unit
    [ -z "$units" ] || SYSTEMD_UNIT_PATH="$VIEW/etc/systemd/system:" judge systemd-analyze \
        systemd-analyze verify --man=no --recursive-errors=no $units
}

# Whether a release also loads shows beside the running one, see release_loads.
validate_python() {
    while read -r path; do
        case $path in
        *.py) judge python3 python3 -c 'import sys; compile(open(sys.argv[1]).read(), sys.argv[1], "exec")' "$VIEW$path" ;;
        esac
    done <"$INCOMING/view-paths"
}

# validate ROLE LIST TREE
validate() {
    build_view "$2" "$3"
    validate_interfaces
    validate_nftables
    case $1 in
    load-balancer)
        validate_haproxy
        validate_keepalived
        ;;
    database) validate_mariadb ;;
    app-server) validate_python ;;
    esac
    validate_units
}
