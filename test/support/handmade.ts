/** What three load balancers have whose files somebody else wrote, in the way of the article. */
export interface HandMade {
  vip: string;
  internalVip: string;
  /** VRRP's, in the clear in the file, as everybody has it. */
  password: string;
  /** `address:port` of the servers behind. */
  backends: readonly string[];
  /** PEM file with the key, for HTTPS. */
  certificate?: string;
}

/** One password, one number per network, EQUAL, multicast. */
export function theirKeepalived({ vip, internalVip, password }: HandMade): string {
  const instance = (name: string, device: string, id: number, address: string): string => `
vrrp_instance ${name} {
     interface ${device}
     virtual_router_id ${id}
     state EQUAL
     advert_int 1

     authentication {
        auth_type PASS
        auth_pass ${password}
     }
     virtual_ipaddress {
        ${address}
     }
}
`;
  return `vrrp_sync_group VG_1 {
     group {
        EXTERN
        INTERN
     }
}
${instance("EXTERN", "eth0", 12, vip)}${instance("INTERN", "eth1", 13, internalVip)}`;
}

export function theirHaproxy({ vip, backends, certificate }: HandMade): string {
  const https = certificate === undefined ? "" : `    bind ${vip}:443 transparent ssl crt ${certificate}\n`;
  const servers = backends.map((backend, index) => `    server app${index + 1} ${backend} check\n`).join("");
  return `global
    user haproxy
    group haproxy
defaults
    mode http
    timeout connect 3s
    timeout client 60s
    timeout server 60s
frontend http-in
    bind ${vip}:80 transparent
${https}    option forwardfor
    option httpclose
    http-request add-header X-Real-IP %[src]
    default_backend appserver
backend appserver
    balance roundrobin
${servers}`;
}

/**
 * A script that prints all that somebody else may call theirs on a host: files with modes, owners and sums, what units are, kernel
 * settings, and addresses but for the VIPs.
 */
export function footprint(vips: readonly string[]): string {
  const places = "etc opt var/lib/ha-cluster";
  const notVips = vips.map((vip) => `-e ' ${vip}/'`).join(" ");
  return [
    "cd /",
    `find ${places} -xdev ! -type d -print0 2>/dev/null | sort -z | xargs -0 stat -c '%n %a %U:%G %s'`,
    "find etc -xdev -type f -print0 | sort -z | xargs -0 sha256sum",
    "find etc/keepalived etc/haproxy etc/network -type d -printf '%p %m %u:%g\\n' | sort",
    "systemctl is-enabled haproxy keepalived nftables",
    "systemctl is-active haproxy keepalived",
    "sysctl net.ipv4.ip_nonlocal_bind net.ipv4.ip_forward",
    "nft list ruleset",
    `ip -o addr show scope global | awk '{ print "address", $2, $4 }' | grep -v ${notVips}`,
    "ip -4 route show default; ip -6 route show default",
  ].join("; ");
}
