import type { Fleet } from "../fleet";
import { datacenterOf, type Fault, machinesOf, otherDatacenters } from "./fault";
import { onMachines, same } from "./onMachines";
import { cutOff, dropFrom, filtered, linkDown, ownInterface, type Cards } from "./filters";

/** What happens to cables, filters and whole datacenters. */
export const networkFaults: Fault[] = [
  onMachines({
    name: "link-down",
    does: "the active load balancer's external interface goes down",
    kind: "crash",
    hits: ({ active }) => [active],
    scripts: ({ fleet, active }) => same([active], linkDown(externalAddress(fleet, active))),
  }),
  onMachines({
    name: "ipv6-broken",
    does: "nothing of IPv6 passes the active load balancer's external interface any more, while IPv4 does",
    kind: "other",
    hits: ({ active }) => [active],
    scripts: ({ fleet, active }) =>
      same(
        [active],
        filtered(ownInterface(externalAddress(fleet, active)), {
          in: 'iifname "$interface" meta nfproto ipv6 drop',
          out: 'oifname "$interface" meta nfproto ipv6 drop',
        }),
      ),
  }),
  onMachines({
    name: "vrrp-filtered",
    does: "a firewall swallows VRRP to and from the active load balancer, and nothing else",
    kind: "other",
    hits: ({ active }) => [active],
    scripts: ({ active }) =>
      same([active], filtered("", { in: "meta l4proto vrrp drop", out: "meta l4proto vrrp drop" })),
  }),
  onMachines({
    name: "datacenter-cut-off",
    does: "the active load balancer's datacenter is cut off from everything outside of it",
    kind: "crash",
    hits: ({ fleet, active }) => machinesOf(fleet, datacenterOf(fleet, active)),
    scripts: async ({ fleet, active }) => {
      const machines = machinesOf(fleet, datacenterOf(fleet, active));
      const cards = await cardsOf(fleet, machines);
      const addresses = machines.map((name) => fleet.outputs.servers[name]!.internal);
      return same(machines, cutOff(cards, addresses));
    },
  }),
  onMachines({
    name: "datacenters-apart",
    does: "the active load balancer's datacenter and the next one lose each other, while the third sees both",
    kind: "other",
    hits: ({ fleet, active }) => [
      ...machinesOf(fleet, datacenterOf(fleet, active)),
      ...machinesOf(fleet, otherDatacenters(fleet, active)[0]!),
    ],
    scripts: async ({ fleet, active }) => {
      const one = machinesOf(fleet, datacenterOf(fleet, active));
      const other = machinesOf(fleet, otherDatacenters(fleet, active)[0]!);
      const [cards, otherCards] = [await cardsOf(fleet, one), await cardsOf(fleet, other)];
      return new Map([...same(one, dropFrom(otherCards)), ...same(other, dropFrom(cards))]);
    },
  }),
  onMachines({
    name: "app-servers-gone",
    does: "all application servers of the active load balancer's datacenter stop answering",
    kind: "other",
    hits: ({ fleet, active }) => appServers(fleet, datacenterOf(fleet, active)),
    scripts: ({ fleet, active }) =>
      // SSH stays, as a way to end it.
      same(
        appServers(fleet, datacenterOf(fleet, active)),
        filtered("", { in: "tcp dport != 22 drop", out: "tcp sport != 22 drop" }),
      ),
  }),
];

function externalAddress(fleet: Fleet, machine: string): string {
  return fleet.outputs.servers[machine]!.external!.ipv4;
}

function appServers(fleet: Fleet, datacenter: string): string[] {
  const servers = fleet.outputs.servers;
  return fleet.names("app-server").filter((name) => servers[name]!.datacenter === datacenter);
}

/** The hardware addresses of machines. */
async function cardsOf(fleet: Fleet, machines: readonly string[]): Promise<Cards> {
  const said = await Promise.all(machines.map((name) => fleet.must(name, "cat /sys/class/net/*/address")));
  const loopback = "00:00:00:00:00:00";
  return [...new Set(said.join("\n").split(/\s+/))].filter((card) => card !== "" && card !== loopback).sort();
}
