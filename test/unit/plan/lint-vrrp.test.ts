import { describe } from "node:test";
import { dualStack, elaborate } from "../../support/specs";
import { balancer, breaking, drop, instance, script } from "./break";

const V6 = "2001:db8:45:67bb::1";

describe("VIPs in the allowed address pairs", () => {
  breaking(
    "one is missing",
    dualStack(),
    (plan) => drop(balancer(plan, "lb-dc2").externalPairs, (pair) => pair === V6),
    "vips.www.ipv6",
    /^lb-dc2: 2001:db8:45:67bb::1 is no allowed address pair of the external port/,
  );
  breaking(
    "what is missing everywhere is one problem",
    dualStack(),
    (plan) => plan.loadBalancers.forEach((node) => drop(node.externalPairs, (pair) => pair === V6)),
    "vips.www.ipv6",
    /^lb-dc1, lb-dc2, lb-dc3: /,
  );
  breaking(
    "one too many",
    dualStack(),
    (plan) => balancer(plan, "lb-dc1").externalPairs.push("203.0.113.109"),
    "(allowed address pairs)",
    /203\.0\.113\.109, which no VIP accounts for/,
  );
  breaking(
    "one twice",
    dualStack(),
    (plan) => balancer(plan, "lb-dc1").externalPairs.push("203.0.113.100"),
    "(allowed address pairs)",
    /stands twice/,
  );
  breaking(
    "the internal VIP is missing",
    dualStack(),
    (plan) => drop(balancer(plan, "lb-dc1").internalPairs, (pair) => pair === "198.51.100.1"),
    "internal.vip",
    /internal port/,
  );
  breaking(
    "a part of what the gateway passes on is missing",
    dualStack(),
    (plan) => drop(balancer(plan, "lb-dc1").internalPairs, (pair) => pair === "128.0.0.0/2"),
    "internal.cidr",
    /128\.0\.0\.0\/2/,
  );
});

describe("VIPs as the whole plan has them", () => {
  breaking(
    "not those of the stack file",
    dualStack(),
    (plan) => delete plan.vips[0]!.ipv6,
    "vips",
    /not what the stack file says/,
  );
});

describe("VIPs in keepalived", () => {
  breaking(
    "one is missing",
    elaborate(),
    (plan) => drop(instance(plan, "lb-ams", "EXTERN").excludedAddresses, ({ address }) => address === "203.0.113.102"),
    "vips.legacy.ipv4",
    /lb-ams: 203\.0\.113\.102 is in no VRRP instance/,
  );
  breaking(
    "an instance is missing",
    dualStack(),
    (plan) => drop(balancer(plan, "lb-dc3").syncGroup.instances, ({ name }) => name === "EXTERN6"),
    "vips.www.ipv6",
    /in no VRRP instance \(it belongs in EXTERN6\)/,
  );
  breaking(
    "one too many",
    dualStack(),
    (plan) =>
      instance(plan, "lb-dc1", "EXTERN").excludedAddresses.push({
        address: "203.0.113.109",
        prefixLength: 32,
        interface: "eth0",
      }),
    "(keepalived)",
    /203\.0\.113\.109, which is no VIP/,
  );
  breaking(
    "one twice",
    elaborate(),
    (plan) => {
      const { excludedAddresses } = instance(plan, "lb-ams", "EXTERN");
      excludedAddresses.push(excludedAddresses[0]!);
    },
    "(keepalived)",
    /203\.0\.113\.101 is a virtual address twice/,
  );
  breaking(
    "one in the wrong instance",
    elaborate(),
    (plan) => {
      const moved = instance(plan, "lb-ams", "EXTERN6").excludedAddresses.pop()!;
      instance(plan, "lb-ams", "EXTERN").excludedAddresses.push(moved);
    },
    "vips.api.ipv6",
    /in the VRRP instance EXTERN, but belongs in EXTERN6/,
  );
  breaking(
    "with the length of its network",
    dualStack(),
    (plan) => (instance(plan, "lb-dc1", "EXTERN").virtualAddress.prefixLength = 24),
    "vips.www.ipv4",
    /set as \/24 on eth0, but belongs as \/32 on eth0/,
  );
  breaking(
    "on the other interface",
    dualStack(),
    (plan) => (instance(plan, "lb-dc1", "EXTERN6").virtualAddress.interface = "eth1"),
    "vips.www.ipv6",
    /on eth1, but belongs as \/128 on eth0/,
  );
});

describe("VRRP between the load balancers", () => {
  breaking(
    "from an address that is not the server's own",
    dualStack(),
    (plan) => (instance(plan, "lb-dc1", "EXTERN").sourceIp = "203.0.113.100"),
    "(keepalived)",
    /EXTERN sends from 203\.0\.113\.100, but the server's own address is 203\.0\.113\.11/,
  );
  breaking(
    "by multicast, where the others are spoken to by unicast",
    dualStack(),
    (plan) => (instance(plan, "lb-dc1", "INTERN").transport = "multicast"),
    "(keepalived)",
    /INTERN sends by multicast, and not by unicast/,
  );
  breaking(
    "without a peer",
    dualStack(),
    (plan) => instance(plan, "lb-dc1", "EXTERN6").peers.pop(),
    "(keepalived)",
    /lb-dc1: EXTERN6 lacks the unicast peers 2001:db8:45:d::1/,
  );
  breaking(
    "with a stranger as a peer",
    dualStack(),
    (plan) => instance(plan, "lb-dc1", "INTERN").peers.push("198.51.100.31"),
    "(keepalived)",
    /no other load balancer: 198\.51\.100\.31/,
  );
  breaking(
    "with itself as a peer",
    dualStack(),
    (plan) => instance(plan, "lb-dc1", "INTERN").peers.push("198.51.100.11"),
    "(keepalived)",
    /no other load balancer: 198\.51\.100\.11/,
  );
  breaking(
    "on the other interface",
    dualStack(),
    (plan) => (instance(plan, "lb-dc1", "INTERN").interface = "eth0"),
    "(keepalived)",
    /INTERN runs on the interface eth0/,
  );
  breaking(
    "two instances of one name",
    elaborate(),
    (plan) => {
      const extern = instance(plan, "lb-ams", "EXTERN");
      const moved = extern.excludedAddresses.pop()!;
      balancer(plan, "lb-ams").syncGroup.instances.push({ ...extern, virtualAddress: moved, excludedAddresses: [] });
    },
    "(keepalived)",
    /EXTERN has not the same virtual_ipaddress everywhere/,
  );
  breaking(
    "a router id that differs",
    dualStack(),
    (plan) => (instance(plan, "lb-dc2", "EXTERN6").routerId = 51),
    "(keepalived)",
    /EXTERN6 has not the same virtual_router_id everywhere: 52 on lb-dc3, lb-dc1; 51 on lb-dc2/,
  );
  breaking(
    "a router id that two instances share",
    dualStack(),
    (plan) => plan.loadBalancers.forEach(({ id }) => (instance(plan, id, "EXTERN6").routerId = 51)),
    "vrrp.routerIds",
    /EXTERN and EXTERN6 share the virtual_router_id 51/,
  );
  breaking(
    "an advert interval that differs",
    dualStack(),
    (plan) => (instance(plan, "lb-dc2", "EXTERN").advertInterval = 2),
    "(keepalived)",
    /not the same advert interval/,
  );
  breaking(
    "a virtual_ipaddress that differs",
    elaborate(),
    (plan) => swapPrimary(plan, "lb-ams"),
    "(keepalived)",
    /not the same virtual_ipaddress everywhere/,
  );
  breaking(
    "a virtual_ipaddress that is not the primary VIP's",
    elaborate(),
    (plan) => plan.loadBalancers.forEach(({ id }) => swapPrimary(plan, id)),
    "vips.www.primary",
    /EXTERN advertises 203\.0\.113\.101, but the primary VIP is 203\.0\.113\.100/,
  );
  breaking(
    "a fraction of a second in version 2",
    dualStack(),
    (plan) => plan.loadBalancers.forEach(({ id }) => Object.assign(instance(plan, id, "EXTERN"), { version: 2 })),
    "(keepalived)",
    /VRRPv2, which can't advertise every 0\.3 s/,
  );
  breaking(
    "IPv6 in version 2",
    elaborate(),
    (plan) =>
      plan.loadBalancers.forEach(({ id }) =>
        Object.assign(instance(plan, id, "EXTERN6"), { version: 2, authentication: true }),
      ),
    "(keepalived)",
    /VRRPv2, which has no IPv6/,
  );
  breaking(
    "a password in version 3",
    elaborate(),
    (plan) => (instance(plan, "lb-ams", "EXTERN6").authentication = true),
    "(keepalived)",
    /VRRPv3 with a password/,
  );
  breaking(
    "no password in version 2",
    elaborate(),
    (plan) => (instance(plan, "lb-ams", "EXTERN").authentication = false),
    "(keepalived)",
    /VRRPv2 without a password/,
  );
});

describe("VRRP priorities", () => {
  breaking(
    "an instance with one of its own",
    dualStack(),
    (plan) => (instance(plan, "lb-dc1", "EXTERN6").priority = 109),
    "(keepalived)",
    /lb-dc1: its base priority is 128, but not that of EXTERN6 109/,
  );
  breaking(
    "two load balancers with the same",
    dualStack(),
    (plan) => {
      const node = balancer(plan, "lb-dc1");
      node.basePriority = 114;
      for (const each of node.syncGroup.instances) each.priority = 114;
    },
    "(keepalived)",
    /lb-dc2, lb-dc1 have the same priority 114/,
  );
  breaking(
    "a master that does not stay",
    dualStack(),
    (plan) => (script(plan, "lb-dc1", "master").weight = 10),
    "(keepalived)",
    /a master of 100 \+ 10 loses the VIPs/,
  );
  breaking(
    "a failure that does not move the VIPs",
    dualStack(),
    (plan) => (script(plan, "lb-dc1", "haproxy").weight = -40),
    "(keepalived)",
    /keeps the VIPs although its check haproxy fails/,
  );
  breaking(
    "beyond keepalived's limits",
    dualStack(),
    (plan) =>
      plan.loadBalancers.forEach((node) => {
        node.basePriority += 110;
        for (const each of node.syncGroup.instances) each.priority = node.basePriority;
      }),
    "(keepalived)",
    /priorities go from 210 to 288/,
  );
});

function swapPrimary(plan: Parameters<typeof instance>[0], id: string): void {
  const extern = instance(plan, id, "EXTERN");
  const [first, ...others] = extern.excludedAddresses;
  extern.excludedAddresses = [extern.virtualAddress, ...others];
  extern.virtualAddress = first!;
}
