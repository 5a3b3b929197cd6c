import { SCRIPTS, type SyncGroup, type TrackScript, type VirtualAddress, type VrrpInstance } from "../plan/vrrp";

/** Holds the `authentication` block, apart from keepalived.conf so that a preview can show the latter. */
export const PASSWORD_FILE = "/etc/keepalived/password.conf";

/** keepalived.conf(5). */
export function renderKeepalived(hostname: string, group: SyncGroup): string {
  return [
    globalDefinitions(hostname, group),
    ...group.scripts.map(trackScript),
    syncGroup(group),
    ...group.instances.map((vrrp) => instance(vrrp, group)),
  ].join("\n");
}

function globalDefinitions(hostname: string, { release }: SyncGroup): string {
  const security = `    script_user root
    enable_script_security
`;
  const refresh = `    # Neighbours that missed the first gratuitous ARP or NA (a healed partition) learn the master within a second.
    vrrp_garp_master_refresh 1
`;
  return `global_defs {
    router_id ${hostname}
${release.scriptSecurity ? security : ""}${release.garpRefresh ? refresh : ""}}
`;
}

function trackScript(script: TrackScript): string {
  return `vrrp_script ${script.name} {
    script "${script.script}"
    interval ${script.interval}
    timeout ${script.timeout}
    fall ${script.fall}
    rise ${script.rise}
    weight ${script.weight}
}
`;
}

function tracking({ scripts }: SyncGroup): string {
  return `    track_script {
${lines(
  8,
  scripts.map((each) => each.name),
)}
    }
`;
}

function syncGroup(group: SyncGroup): string {
  return `vrrp_sync_group ${group.name} {
    group {
${lines(
  8,
  group.instances.map((each) => each.name),
)}
    }
${group.release.groupTracking ? tracking(group) : "    global_tracking\n"}    notify "${SCRIPTS}/notify.sh"
}
`;
}

function instance(vrrp: VrrpInstance, group: SyncGroup): string {
  return `vrrp_instance ${vrrp.name} {
    state BACKUP
    interface ${vrrp.interface}
    virtual_router_id ${vrrp.routerId}
    priority ${vrrp.priority}
    advert_int ${vrrp.advertInterval}
    version ${vrrp.version}
${group.release.nativeIpv6 && vrrp.sourceIp.includes(":") ? "    native_ipv6\n" : ""}${travelling(vrrp)}${
    vrrp.authentication ? `    include ${PASSWORD_FILE}\n` : ""
  }${group.release.groupTracking ? "" : tracking(group)}    virtual_ipaddress {
${lines(8, [vrrp.virtualAddress, ...vrrp.furtherAddresses].map(virtualAddress))}
    }
${excluded(vrrp.excludedAddresses)}}
`;
}

function travelling({ sourceIp, transport, peers }: VrrpInstance): string {
  if (transport === "multicast") return `    mcast_src_ip ${sourceIp}\n`;
  return `    unicast_src_ip ${sourceIp}
    unicast_peer {
${lines(8, peers)}
    }
`;
}

function excluded(addresses: VirtualAddress[]): string {
  if (addresses.length === 0) return "";
  return `    virtual_ipaddress_excluded {
${lines(8, addresses.map(virtualAddress))}
    }
`;
}

function virtualAddress(vip: VirtualAddress): string {
  return `${vip.address}/${vip.prefixLength} dev ${vip.interface}`;
}

function lines(indent: number, texts: readonly string[]): string {
  return texts.map((text) => " ".repeat(indent) + text).join("\n");
}

/** The file that {@link PASSWORD_FILE} names; `password` has at most 8 characters, more are cut off (RFC 2338). */
export function renderVrrpPassword(password: string): string {
  return `authentication {
    auth_type PASS
    auth_pass ${password}
}
`;
}
