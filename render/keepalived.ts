import { SCRIPTS, type SyncGroup, type TrackScript, type VirtualAddress, type VrrpInstance } from "../plan/vrrp";

/** Holds the `authentication` block, apart from keepalived.conf so that a preview can show the latter. */
export const PASSWORD_FILE = "/etc/keepalived/password.conf";

/** keepalived.conf(5). */
export function renderKeepalived(hostname: string, group: SyncGroup): string {
  return [
    `global_defs {
    router_id ${hostname}
    script_user root
    enable_script_security
    # Neighbours that missed the first gratuitous ARP or NA (a healed partition) learn the master within a second.
    vrrp_garp_master_refresh 1
}
`,
    ...group.scripts.map(trackScript),
    syncGroup(group),
    ...group.instances.map(instance),
  ].join("\n");
}

function trackScript(script: TrackScript): string {
  return `vrrp_script ${script.name} {
    script "${script.script}"
    interval 1
    timeout 2
    fall ${script.fall}
    rise ${script.rise}
    weight ${script.weight}
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
    track_script {
${lines(
  8,
  group.scripts.map((each) => each.name),
)}
    }
    notify "${SCRIPTS}/notify.sh"
}
`;
}

function instance(vrrp: VrrpInstance): string {
  return `vrrp_instance ${vrrp.name} {
    state BACKUP
    interface ${vrrp.interface}
    virtual_router_id ${vrrp.routerId}
    priority ${vrrp.priority}
    advert_int ${vrrp.advertInterval}
    version ${vrrp.version}
    unicast_src_ip ${vrrp.sourceIp}
    unicast_peer {
${lines(8, vrrp.peers)}
    }
${vrrp.authentication ? `    include ${PASSWORD_FILE}\n` : ""}    virtual_ipaddress {
${lines(8, [virtualAddress(vrrp.virtualAddress)])}
    }
${excluded(vrrp.excludedAddresses)}}
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
