import type { Bind } from "../plan/haproxy";
import { DRAIN_PORT, RELAY_PORT, type Relay } from "../plan/relay";
import { SCRIPTS } from "../plan/vrrp";
import { type ConfigFile, file } from "./bundle";

/** The VXLAN device of node/relay.sh. */
const RELAY_DEVICE = "ha-relay";

/** Packet marks: to be delivered here, also while the VIP is elsewhere; to be relayed. */
const MARK = { deliver: "0x68610001", relay: "0x68610002" };

/** How long a draining machine is believed without a further word; it says so five times a second. */
const DRAINING_SECONDS = 3;

/** All that a load balancer needs to relay and to drain. */
export function relayFiles(relay: Relay): ConfigFile[] {
  return [
    file("/etc/ha-cluster/relay", renderSettings(relay)),
    file("/etc/ha-cluster/relay-peers", renderPeers(relay)),
    file("/etc/ha-cluster/relay.nft", renderRules(relay)),
    file("/etc/systemd/system/ha-cluster-relay.service", RELAY_SERVICE),
    file("/etc/systemd/system/ha-cluster-drain.service", DRAIN_SERVICE),
    file("/etc/systemd/system/haproxy.service.d/ha-cluster.conf", HAPROXY_DROP_IN),
  ];
}

/** /etc/ha-cluster/relay for node/relay.sh and node/drain.sh. */
function renderSettings(relay: Relay): string {
  return `INTERNAL=${relay.self.internal}
MAC=${relay.self.mac}
PORT=${RELAY_PORT}
MTU_OF=${relay.externalInterface}
FAMILIES="${relay.services.ipv6.length > 0 ? "4 6" : "4"}"
DELIVER_MARK=${MARK.deliver}
DRAIN_PORT=${DRAIN_PORT}
`;
}

/** /etc/ha-cluster/relay-peers: "INTERNAL MAC LINK-LOCAL" of each other load balancer. */
function renderPeers(relay: Relay): string {
  return relay.peers.map((peer) => `${peer.internal} ${peer.mac} ${peer.linkLocal}\n`).join("");
}

/**
 * /etc/ha-cluster/relay.nft, loaded by node/relay.sh once the device is there. Three tables, as `dup` is not to be had in the
 * family inet. `dup` and not a route: the VIP is a local address, and the local table comes first.
 */
function renderRules(relay: Relay): string {
  const { ipv4, ipv6 } = relay.services;
  return `#!/usr/sbin/nft -f
table inet ha_cluster_relay
delete table inet ha_cluster_relay
table inet ha_cluster_relay {
    # Has its one element while any load balancer drains. This one counts too: while the VIPs move, neighbours may still send it
    # packets of a connection that the new master has accepted.
    set draining {
        type mark
        flags dynamic,timeout
        timeout ${DRAINING_SECONDS}s
    }
    chain prerouting {
        type filter hook prerouting priority mangle; policy accept;
        iifname { "${relay.internalInterface}", "lo" } ip saddr { ${[relay.self, ...relay.peers].map((end) => end.internal).join(", ")} } udp dport ${DRAIN_PORT} meta mark set ${MARK.relay} update @draining { meta mark } drop
${services("ip", ipv4)}${services("ip6", ipv6)}${neighbours(ipv6)}        iifname "${RELAY_DEVICE}" drop
    }
    chain service {
        # Relayed to this machine: what it knows, and nothing is relayed twice.
        iifname "${RELAY_DEVICE}" ct state established,related meta mark set ${MARK.deliver} accept
        iifname "${RELAY_DEVICE}" drop
        # Not of a connection of this machine.
        ct state new,invalid tcp flags & (fin | syn | rst | ack) != syn goto unknown
        # Also when the VIP has gone, or is still to come, and not everybody knows: haproxy listens all the same. Not asked for
        # here ("fib daddr type"), as it may go between the answer and the route.
        meta mark set ${MARK.deliver}
    }
    chain unknown {
        meta mark set ${MARK.relay}
        meta mark @draining accept
        # The client learns at once that nobody has its connection, by a reset.
        meta mark set ${MARK.deliver}
    }
}
${duplicates(
  "ip",
  relay.peers.map((peer) => peer.internal),
)}${
    ipv6.length > 0
      ? duplicates(
          "ip6",
          relay.peers.map((peer) => peer.linkLocal),
        )
      : ""
  }`;
}

function services(family: "ip" | "ip6", binds: readonly Bind[]): string {
  if (binds.length === 0) return "";
  const pairs = binds.map(({ address, port }) => `${address} . ${port}`).join(", ");
  return `        ${family} daddr . tcp dport { ${pairs} } goto service\n`;
}

/**
 * Linux adds an IPv6 address at once and its local route by a worker (addrconf_dad_work), which a busy machine keeps waiting. If in
 * between it asks for a neighbour's MAC, it does so from the VIP, drops the answer, and asks again after a second (RFC 4861,
 * RETRANS_TIMER).
 */
function neighbours(binds: readonly Bind[]): string {
  if (binds.length === 0) return "";
  const addresses = [...new Set(binds.map(({ address }) => address))].join(", ");
  return `        # The first answer to a new master, before the kernel has a route for the VIP that it has just added.
        ip6 daddr { ${addresses} } icmpv6 type nd-neighbor-advert meta mark set ${MARK.deliver}
`;
}

function duplicates(family: "ip" | "ip6", nextHops: readonly string[]): string {
  return `table ${family} ha_cluster_relay
delete table ${family} ha_cluster_relay
table ${family} ha_cluster_relay {
    chain prerouting {
        type filter hook prerouting priority mangle + 1; policy accept;
        meta mark ${MARK.relay} ${nextHops.map((hop) => `dup to ${hop} device "${RELAY_DEVICE}"`).join(" ")} drop
    }
}
`;
}

/**
 * Sets the relay up at boot; a push does so itself. PartOf (systemd.unit(5)): nftables.service flushes all rules when it stops, and
 * Debian restarts it with every upgrade of the package.
 */
const RELAY_SERVICE = `[Unit]
Description=Relay to load balancers that drain
After=networking.service nftables.service
PartOf=nftables.service
Before=haproxy.service keepalived.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${SCRIPTS}/relay.sh up
ExecStop=${SCRIPTS}/relay.sh down

[Install]
WantedBy=multi-user.target
`;

/** Started by a push, or by keepalived's check that finds an operator's mark. Stops after haproxy, which waits for it. */
const DRAIN_SERVICE = `[Unit]
Description=Tells the other load balancers that this one drains
Before=haproxy.service

[Service]
ExecStart=${SCRIPTS}/drain.sh run
ExecStopPost=/bin/rm -f /run/ha-cluster/draining
`;

/** A stop, or a restart by a package upgrade, leaves connections that are being drained their time. */
const HAPROXY_DROP_IN = `[Service]
ExecStop=${SCRIPTS}/drain.sh wait 30
`;
