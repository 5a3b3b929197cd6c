import * as openstack from "@pulumi/openstack";
import * as pulumi from "@pulumi/pulumi";
import type { Server } from "../../plan/servers";
import type { KeyPair } from "../../secrets/openssh";

export interface MachineArgs {
  server: Server;
  image: string;
  keyPair: pulumi.Input<string>;
  /** Its identity from the first boot on, so that no connection to it ever has to trust blindly. */
  hostKey: KeyPair;
  serverGroup: pulumi.Input<string>;
  /** In the order of the machine's interfaces. */
  ports: PortArgs[];
}

export interface PortArgs {
  /** What the port is called beside its machine, e.g. `external`. */
  name: string;
  networkId: pulumi.Input<string>;
  securityGroup: pulumi.Input<string>;
  fixedIps: { subnetId: pulumi.Input<string>; ipAddress: string }[];
  /** Addresses that the hypervisor's ACL lets the port use besides its own. */
  allowedAddresses: string[];
}

/** One server of Nova with its Neutron ports. */
export class Machine extends pulumi.ComponentResource {
  /** The server's id in Nova. */
  readonly serverId: pulumi.Output<string>;

  constructor(name: string, args: MachineArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ha-cluster:openstack:Machine", name, {}, opts);
    const { server } = args;
    const ports = args.ports.map(
      (port) =>
        new openstack.networking.Port(
          `${name}-${port.name}`,
          {
            name: `${server.hostname}-${port.name}`,
            networkId: port.networkId,
            adminStateUp: true,
            securityGroupIds: [port.securityGroup],
            fixedIps: port.fixedIps,
            allowedAddressPairs: port.allowedAddresses.map((ipAddress) => ({ ipAddress })),
          },
          { parent: this },
        ),
    );
    this.serverId = new openstack.compute.Instance(
      name,
      {
        name: server.hostname,
        imageName: args.image,
        flavorName: server.flavor,
        availabilityZone: server.availabilityZone,
        keyPair: args.keyPair,
        networks: ports.map((port) => ({ port: port.id })),
        schedulerHints: [{ group: args.serverGroup }],
        configDrive: true,
        powerState: "active",
        userData: pulumi.secret(userData(args.hostKey)),
      },
      {
        parent: this,
        // A new image or cloud-init text is for new servers: it never replaces one that serves.
        ignoreChanges: ["imageName", "userData", "keyPair"],
        // The server's address is its port's, so the old server has to go first.
        deleteBeforeReplace: true,
      },
    ).id;
    this.registerOutputs({ serverId: this.serverId });
  }
}

/** cloud-init's cloud-config (JSON is YAML): nothing but the host key; all else is pushed, and shows in a preview. */
function userData(hostKey: KeyPair): string {
  return `#cloud-config\n${JSON.stringify({
    ssh_deletekeys: true,
    ssh_genkeytypes: [],
    ssh_keys: { ed25519_private: hostKey.privateKey, ed25519_public: hostKey.publicKey },
  })}\n`;
}
