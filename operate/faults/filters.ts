import type { Scripts } from "./unit";

/** Hardware addresses. */
export type Cards = string[];

/** nftables of its own, so that taking it away leaves everybody else's as it was. */
const TABLE = "ha_cluster_fault";
const EARLY = "priority -300; policy accept;";

const REMOVE = ["inet", "netdev"].map((family) => `nft delete table ${family} ${TABLE} 2>/dev/null || :`).join("\n");

/** Shell that sets `interface` to the one that has this address. */
export function ownInterface(address: string): string {
  return `interface=$(ip -oneline address show | awk -v address='${address}' 'index($4, address "/") == 1 { print $2 }')
[ -n "$interface" ]`;
}

/** Rules by protocol, for what comes in and what goes out; they may use `$interface`, as `prepare` sets it. */
export function filtered(prepare: string, rules: { in: string; out: string }): Scripts {
  return {
    begin: `${prepare}
nft -f - <<END_OF_RULES
table inet ${TABLE} {
    chain in {
        type filter hook prerouting ${EARLY}
        ${rules.in}
    }
    chain out {
        type filter hook output ${EARLY}
        ${rules.out}
    }
}
END_OF_RULES`,
    end: REMOVE,
  };
}

/** Shell for the interfaces of a machine as nftables wants to have them listed. */
const DEVICES = `devices=$(ls /sys/class/net | grep -vx lo | sed 's/.*/"&"/' | paste -sd,)`;

/** Rules of all interfaces together, in a table that sees frames of every protocol. */
function ofFrames(chains: string): Scripts {
  return {
    begin: `${DEVICES}
nft -f - <<END_OF_RULES
table netdev ${TABLE} {
${chains}}
END_OF_RULES`,
    end: REMOVE,
  };
}

function incoming(rule: string): string {
  return `    chain in {
        type filter hook ingress devices = { $devices } ${EARLY}
        ${rule}
    }
`;
}

/**
 * Nothing passes but to and from these cards. It also stops ARP, which no inet table sees: a master that is cut off but
 * goes on announcing the VIPs would still draw the traffic. Outgoing frames are filtered by Linux 5.16 or later only.
 *
 * @param addresses of the same machines: who asks for them may ask everybody (ARP)
 */
export function cutOff(cards: Cards, addresses: readonly string[]): Scripts {
  return ofFrames(`${incoming(`ether saddr != { ${cards.join(", ")} } drop`)}    chain out {
        type filter hook egress devices = { $devices } ${EARLY}
        ether daddr { ${cards.join(", ")} } accept
        arp daddr ip { ${addresses.join(", ")} } accept
        drop
    }
`);
}

/** Nothing from these cards comes in. */
export function dropFrom(cards: Cards): Scripts {
  return ofFrames(incoming(`ether saddr { ${cards.join(", ")} } drop`));
}

/**
 * Setting an interface down takes its IPv6 addresses and all its routes away, which losing a cable does not: what was there
 * is noted and comes back, but for VIPs, which are keepalived's to set.
 */
export function linkDown(address: string): Scripts {
  const notes = "/run/ha-cluster-fault";
  return {
    begin: `${ownInterface(address)}
echo "$interface" >${notes}/interface
ip -oneline -6 address show dev "$interface" scope global | awk '{ print $4 }' | while read -r each; do
    grep -qsF " $each" /etc/ha-cluster/vips || echo "$each"
done >${notes}/addresses
ip -4 route show default dev "$interface" | sed 's/^/-4 /' >${notes}/routes
ip -6 route show default dev "$interface" | sed 's/^/-6 /' >>${notes}/routes
ip link set "$interface" down`,
    end: `interface=$(cat ${notes}/interface)
ip link set "$interface" up
while read -r each; do ip -6 address replace "$each" dev "$interface" nodad; done <${notes}/addresses
while read -r family route; do
    # shellcheck disable=SC2086 # words of a route
    ip $family route replace $route dev "$interface"
done <${notes}/routes`,
  };
}
