#!/bin/sh
# haproxy answers and listens on everything that it shall; keepalived's sync group has a state. Then, where there is a table of
# probes, haproxy is asked at every VIP, whether or not the VIP is here.
set -u
serves() {
    systemctl -q is-active haproxy keepalived || return 1
    /opt/ha-cluster/check-haproxy.sh || return 1
    while read -r address port; do
        case $address in *:*) address="[$address]" ;; esac
        ss -Hltnp "src $address:$port" | grep -q '"haproxy"' || return 1
    done </etc/ha-cluster/listeners
    grep -qsx -e MASTER -e BACKUP /run/ha-cluster/group-VG_1
}
left=150
until serves; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || exit 1
    sleep 0.1
done

[ -e /etc/ha-cluster/probes ] || exit 0
routes() {
    for family in 4 6; do
        case $family in 4) source=127.0.0.1 ;; 6) source=::1 ;; esac
        ip "-$family" rule del pref 6804 2>/dev/null
        ip "-$family" route flush table 6804 2>/dev/null
        [ "$1" = add ] || continue
        ip "-$family" route add local default dev lo table 6804
        ip "-$family" rule add from "$source" lookup 6804 pref 6804
    done
}
fingerprint() { openssl x509 -in "$1" -noout -sha256 -fingerprint; }
probe() {
    case $1 in *:*) place="[$1]:$2" source=::1 bind='[::1]:0' ;; *) place="$1:$2" source=127.0.0.1 bind=127.0.0.1:0 ;; esac
    case $3 in
    http) curl --silent --output /dev/null --max-time 10 --interface "$source" "http://$place/" ;;
    https)
        timeout 10 openssl s_client -connect "$place" -bind "$bind" </dev/null >"$shown" 2>&1 &&
            [ "$(fingerprint "$shown")" = "$(fingerprint "$4")" ]
        ;;
    tcp) /opt/ha-cluster/ask.sh tcp "$1" "$2" 3 "$source" | grep -qx open ;;
    esac
}
shown=$(mktemp)
failed=0
routes add
while read -r address port kind certificate; do
    probe "$address" "$port" "$kind" "$certificate" || failed=1
done </etc/ha-cluster/probes
routes del
rm -f "$shown"
exit $failed
