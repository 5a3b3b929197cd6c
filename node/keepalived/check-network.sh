#!/bin/sh
# For keepalived's vrrp_script: 1 while a network of this machine is broken, which VRRP alone does not notice: a sync
# group stays where it is while the others hear it on one network (IPv6 is lost, and IPv4 is not), and a master that is
# cut off from everybody goes on with the priority that would take the VIPs back when it returns.
#
# A network works as long as one other load balancer, or the gateway, answers a ping there. Who sees no other load
# balancer at all is cut off only if a gateway that answered before has fallen silent too: else it is the last one.
# /etc/ha-cluster/networks has lines "NETWORK OWN-ADDRESS GATEWAY|- PEER…". Where there is no ping, nothing is judged.
set -eu
NETWORKS=/etc/ha-cluster/networks
GATEWAY_ANSWERED=/run/ha-cluster/gateway-answered
if [ ! -e $NETWORKS ] || ! command -v ping >/dev/null; then exit 0; fi

answers=$(
    while read -r network source gateway peers; do
        for address in $gateway $peers; do
            [ "$address" != - ] || continue
            kind=peer
            [ "$address" != "$gateway" ] || kind=gateway
            # -w as well: an error from the network would end -W's second, and start another.
            { ping -n -q -c 1 -W 1 -w 1 -I "$source" "$address" >/dev/null 2>&1 && echo "$network $kind"; } &
        done
    done <$NETWORKS
    wait
)
case $answers in *gateway*) [ -e $GATEWAY_ANSWERED ] || { mkdir -p /run/ha-cluster && : >$GATEWAY_ANSWERED; } ;; esac
case $answers in
*peer*) while read -r network _; do case $answers in *"$network "*) ;; *) exit 1 ;; esac done <$NETWORKS ;;
*gateway*) ;;
*) [ ! -e $GATEWAY_ANSWERED ] ;;
esac
