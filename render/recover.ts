import { SCRIPTS } from "../plan/vrrp";

/** systemd.service(5): before anything reads the files that a push may have left half done. */
export const RECOVER_SERVICE = `[Unit]
Description=Takes a push back that a power cut interrupted
DefaultDependencies=no
RequiresMountsFor=/etc /var/lib/ha-cluster ${SCRIPTS}
ConditionPathExists=/var/lib/ha-cluster/journal
After=local-fs.target
Before=network-pre.target networking.service nftables.service systemd-sysctl.service haproxy.service keepalived.service
Conflicts=shutdown.target
Before=shutdown.target

[Service]
Type=oneshot
ExecStart=${SCRIPTS}/recover.sh

[Install]
WantedBy=sysinit.target
`;
