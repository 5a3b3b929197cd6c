import type { Resource } from "../../change/deployed";
import { everyServer } from "../../change/change";
import { bundlesOf } from "../../change/files";
import { internalSubnets } from "../../plan/addresses";
import type { Plan } from "../../plan/plan";

const CLUSTER = "urn:pulumi:dev::ha-cluster::ha-cluster:index:Cluster";
const COMPONENTS = { "load-balancer": "LoadBalancer", database: "DatabaseServer", "app-server": "AppServer" };

/** The state of a cluster that was built as planned, as far as anybody reads it; as `pulumi stack export` prints it. */
export function stateOf(plan: Plan): Resource[] {
  const bundles = bundlesOf(plan, "sample");
  const resource = (path: string, type: string, name: string, outputs: Record<string, unknown>): Resource => ({
    urn: `${CLUSTER}${path}$${type}::${name}`,
    type,
    id: `id-of-${name}`,
    inputs: outputs,
    outputs,
  });
  const group = "openstack:compute/serverGroup:ServerGroup";
  return [
    resource("", group, "group-database", { name: `${plan.clusterName}-database` }),
    resource("", "openstack:networking/network:Network", "internal", { name: `${plan.customer}-internal` }),
    ...internalSubnets(plan.internal).map((cidr, index) => {
      const name = index === 0 ? "internal-ipv4" : `internal-ipv4-${index + 1}`;
      return resource("", "openstack:networking/subnet:Subnet", name, { cidr });
    }),
    ...everyServer(plan).flatMap((node) => {
      const component = `$ha-cluster:index:${COMPONENTS[node.role]}`;
      const path = `${component}$ha-cluster:openstack:Machine`;
      const port = (name: string, addresses: (string | undefined)[]): Resource =>
        resource(path, "openstack:networking/port:Port", `${node.id}-${name}`, {
          networkId: `id-of-${name}`,
          allFixedIps: addresses.filter((each) => each !== undefined),
        });
      return [
        port("internal", [node.internal]),
        ...("external" in node ? [port("external", [node.external.ipv4, node.external.ipv6])] : []),
        resource(path, "openstack:compute/instance:Instance", node.id, {
          name: node.hostname,
          availabilityZone: node.availabilityZone,
          flavorName: node.flavor,
          imageName: node.image,
          imageId: `id-of-${node.image}`,
          metadata: { sshUser: plan.sshUser },
          networks: ["internal", ...("external" in node ? ["external"] : [])].map((name) => ({
            port: `id-of-${node.id}-${name}`,
          })),
        }),
        resource(component, "command:remote:Command", `${node.id}-scripts`, {
          create: `sudo -n sh # as ${plan.sshUser}`,
          stdin: "install_script farewell.sh",
          triggers: [`id-of-${node.id}`],
        }),
        resource(component, "command:remote:Command", `${node.id}-secrets`, { create: "push" }),
        resource(component, "command:remote:Command", `${node.id}-config`, { stdin: bundles[node.id] }),
      ];
    }),
  ];
}
