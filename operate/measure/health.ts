import type { Fleet } from "../fleet";
import type { Vip } from "./record";

/** How a cluster stands, as its load balancers say. */
export interface Health {
  /** Who has all VIPs; undefined unless there is exactly one. */
  active?: string;
  /** What is not as it should be, in words; empty when the cluster is healthy. */
  problems: string[];
}

const LOOK = `for file in /run/ha-cluster/group-*; do [ -e "$file" ] && echo "state $(cat "$file")"; done
while read -r interface address; do
    ip -oneline address show dev "$interface" | grep -qF " $address " && echo "holds \${address%/*}"
done </etc/ha-cluster/vips
/opt/ha-cluster/check-haproxy.sh && echo haproxy
[ ! -e /run/ha-cluster/maintenance ] || echo maintenance
[ ! -e /run/systemd/system/ha-cluster-fault.service ] || echo fault
/opt/ha-cluster/ask.sh unix /run/haproxy/admin.sock 'show stat' 2>/dev/null |
    awk -F, '$2 != "FRONTEND" && $2 != "BACKEND" && $18 ~ /^DOWN/ { print "down " $1 "/" $2 }'
true`;

export async function healthOf(fleet: Fleet, vips: readonly Vip[]): Promise<Health> {
  const names = fleet.names("load-balancer");
  const looks = await Promise.all(names.map((name) => fleet.run(name, LOOK, { seconds: 15 })));
  const told = looks.map(({ code, stdout }) => (code === 0 ? stdout.trim().split("\n") : undefined));
  const problems = names.flatMap((name, index) =>
    told[index] ? problemsOf(name, told[index]) : [`${name} can't be reached: ${looks[index]!.stderr.trim()}`],
  );
  const holders = vips.map(({ address }) => names.filter((_, index) => told[index]?.includes(`holds ${address}`)));
  for (const [index, { address }] of vips.entries()) {
    const on = holders[index]!;
    if (on.length !== 1) problems.push(`${address} is on ${on.length === 0 ? "no load balancer" : on.join(" and ")}`);
  }
  const first = holders[0]?.[0];
  const together = holders.every((on) => on.length === 1 && on[0] === first);
  if (!together && holders.every((on) => on.length === 1)) problems.push("the VIPs are on different load balancers");
  const masters = names.filter((_, index) => told[index]?.includes("state MASTER"));
  if (together && masters.join() !== first)
    problems.push(`${first ?? "nobody"} has the VIPs, but MASTER is ${masters.join(" and ") || "nobody"}`);
  return { ...(together && first !== undefined ? { active: first } : {}), problems };
}

function problemsOf(name: string, lines: readonly string[]): string[] {
  const state = lines.find((line) => line.startsWith("state "))?.slice(6);
  return [
    ...(state === "MASTER" || state === "BACKUP" ? [] : [`keepalived of ${name} is in state ${state ?? "unknown"}`]),
    ...(lines.includes("haproxy") ? [] : [`haproxy of ${name} does not answer`]),
    ...(lines.includes("maintenance") ? [`${name} is marked for maintenance (/run/ha-cluster/maintenance)`] : []),
    ...(lines.includes("fault") ? [`an earlier fault still goes on at ${name} (systemctl stop ha-cluster-fault)`] : []),
    ...lines.filter((line) => line.startsWith("down ")).map((line) => `${name} takes ${line.slice(5)} for down`),
  ];
}
