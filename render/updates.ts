import { type ConfigFile, file } from "./bundle";

/**
 * Keeps what updates a machine by itself from what serves: a daemon that restarts on two machines at once is an outage, and
 * `npm run patch` updates them one machine at a time. Files that nothing reads where there is no such program.
 *
 * To restart nftables.service empties the whole ruleset, the relay's tables with it.
 */
export function updatesFiles(): ConfigFile[] {
  return [
    file("/etc/apt/apt.conf.d/52ha-cluster", UNATTENDED),
    file("/etc/needrestart/conf.d/ha-cluster.conf", NEEDRESTART),
  ];
}

/** Read after 50unattended-upgrades. Its list is of regular expressions, each tried from the start of a package's name. */
const UNATTENDED = `// ha-cluster: npm run patch updates these, and reboots, one machine at a time.
Unattended-Upgrade::Package-Blacklist {
    "^keepalived$";
    "^haproxy$";
    "^mariadb-";
    "^galera-";
    "^nftables$";
};
Unattended-Upgrade::Automatic-Reboot "false";
`;

/** Perl; 0: never restarted. */
const NEEDRESTART = `# ha-cluster: npm run patch restarts these, one machine at a time.
$nrconf{override_rc}{qr(^(keepalived|haproxy|mariadb|app|nftables)(\\.service)?$)} = 0;
`;
