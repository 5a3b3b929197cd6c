import type { Fault } from "./fault";
import { onMachines, same } from "./onMachines";

/** What happens to daemons, while the machine and its network are fine. */
export const processFaults: Fault[] = [
  onMachines({
    name: "nothing",
    does: "nothing happens at all, to see what the cluster and the measuring do by themselves",
    kind: "planned",
    hits: () => [],
    scripts: ({ active }) => same([active], { begin: ":", end: ":" }),
  }),
  onMachines({
    name: "planned",
    does: "the active load balancer is marked for maintenance, and hands over (a planned handover)",
    kind: "planned",
    hits: ({ active }) => [active],
    scripts: ({ active }) =>
      same([active], {
        begin: "mkdir -p /run/ha-cluster && touch /run/ha-cluster/maintenance",
        end: "rm -f /run/ha-cluster/maintenance",
      }),
  }),
  onMachines({
    name: "keepalived-killed",
    does: "all processes of the active load balancer's keepalived are killed at once (SIGKILL)",
    kind: "crash",
    hits: ({ active }) => [active],
    scripts: ({ active }) => same([active], { begin: kill("KILL", "keepalived"), end: "systemctl start keepalived" }),
  }),
  onMachines({
    name: "haproxy-killed",
    does: "all processes of the active load balancer's haproxy are killed at once (SIGKILL)",
    kind: "other",
    hits: ({ active }) => [active],
    scripts: ({ active }) => same([active], { begin: kill("KILL", "haproxy"), end: "systemctl start haproxy" }),
  }),
  onMachines({
    name: "haproxy-stopped",
    does: "the active load balancer's haproxy hangs (SIGSTOP): it still has its sockets, and answers nobody",
    kind: "other",
    hits: ({ active }) => [active],
    scripts: ({ active }) => same([active], { begin: kill("STOP", "haproxy"), end: kill("CONT", "haproxy") }),
  }),
];

/** To every process of the unit; the default of KillMode does not matter here. */
function kill(signal: string, unit: string): string {
  return `systemctl kill --kill-who=all --signal=SIG${signal} ${unit}.service`;
}
