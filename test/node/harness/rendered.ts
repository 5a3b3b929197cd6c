import type { Spec } from "../../../config/spec";
import { changeOf } from "../../../change/change";
import { deployed } from "../../../change/deployed";
import { filesBetween } from "../../../change/files";
import { plan, type Plan, type PlannedLoadBalancer } from "../../../plan/plan";
import { bundle, type ConfigFile } from "../../../render/bundle";
import { loadBalancerFiles } from "../../../render/files";
import { dualStack, type Raw, specOf } from "../../support/specs";
import { stateOf } from "../../support/state";

/** The first server that the rendered files name for the application; there are no others. */
export const RENDERED_APP = "198.51.100.223";
export const RENDERED_VIPS = ["203.0.113.48", "2001:db8:40:67bb::1", "198.51.100.200"];

const IPV4 = { cidr: "203.0.113.0/24", gateway: "203.0.113.62" };
const EXTERNAL = {
  ipv4: IPV4,
  ipv6: { prefix: "2001:db8:40::/48", gateway: "2001:db8:40::94" },
  vipRanges: ["203.0.113.48/32", "2001:db8:40:67bb::/64"],
};

/** No word of IPv6 in the stack file. */
export const IPV4_ONLY: Raw = {
  external: { ipv4: IPV4, vipRanges: ["203.0.113.48/32"] },
  vips: { www: { ipv4: "203.0.113.48" } },
};

/** A stack file's, in the tests' networks. */
export function renderedSpec(changes: Raw = {}): Spec {
  const raw = dualStack({
    external: EXTERNAL,
    internal: { cidr: "198.51.100.0/24", vip: "198.51.100.200" },
    vips: { www: { ipv4: "203.0.113.48", ipv6: "2001:db8:40:67bb::1" } },
    ...changes,
  });
  delete raw["database"];
  const spec = specOf(raw);
  // The tests' networks are smaller than a stack file may have.
  spec.external.ipv4.cidr = "203.0.113.32/27";
  spec.internal = { ...spec.internal, cidr: "198.51.100.192/26", builtAs: "198.51.100.192/26" };
  return spec;
}

/** The files bundles of the load balancers of three datacenters, as the program renders them for a stack file. */
export function rendered(changes: Raw = {}): Bundles {
  const planned = plan(renderedSpec(changes));
  return ofEach(planned, (node) => loadBalancerFiles(planned, node));
}

/** Those for the time between the one and the other. */
export function renderedBetween(before: Raw, now: Raw): Bundles {
  const planned = plan(renderedSpec(now));
  const { moves } = changeOf(planned, deployed(stateOf(plan(renderedSpec(before)))));
  return ofEach(planned, (node) => filesBetween(planned, node, moves[node.id]!, ""));
}

type Bundles = [lb1: string, lb2: string, lb3: string];

function ofEach({ loadBalancers }: Plan, files: (node: PlannedLoadBalancer) => ConfigFile[]): Bundles {
  const nodes = [...loadBalancers].sort((a, b) => (a.id < b.id ? -1 : 1));
  const [lb1, lb2, lb3] = nodes.map((node) => bundle(files(node)));
  return [lb1!, lb2!, lb3!];
}
