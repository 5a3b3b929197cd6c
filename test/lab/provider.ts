import { exec } from "../../operate/exec";
import { lab } from "./support";

/** A network that the provider of the tests' project gives beside the one that it has. */
export interface Given {
  /** What Neutron's subnet is called. */
  name: string;
  cidr: string;
  gateway: string;
  /** Its router's own address in the network that there was before, with the length. */
  before: string;
}

const ROUTER = "ha-test-router";
const [LEG, FAR] = ["leg", "halab-given-b"];

/** A router of the provider's, with a leg in the tests' external network: gateway of what is given, and the way from there to what was before. */
export class Provider {
  constructor(private readonly given: readonly Given[]) {}

  async give(): Promise<void> {
    await this.takeBack();
    const [shown] = JSON.parse(await ip("-n", "ha-lab-hv", "-j", "link", "show", "halab-test-b")) as [
      { master: string },
    ];
    await ip("netns", "add", ROUTER);
    await ip("link", "add", LEG, "netns", ROUTER, "type", "veth", "peer", "name", FAR, "netns", "ha-lab-hv");
    await ip("-n", "ha-lab-hv", "link", "set", FAR, "master", shown.master, "up");
    await must(
      "ip",
      "netns",
      "exec",
      ROUTER,
      "sysctl",
      "-qw",
      "net.ipv4.ip_forward=1",
      "net.ipv6.conf.all.forwarding=1",
    );
    await ip("-n", ROUTER, "link", "set", LEG, "up");
    for (const { name, cidr, gateway, before } of this.given) {
      const [version, length] = [gateway.includes(":") ? "6" : "4", cidr.replace(/.*\//, "")];
      for (const each of [`${gateway}/${length}`, before])
        await ip("-n", ROUTER, "addr", "add", each, "dev", LEG, ...(version === "6" ? ["nodad"] : []));
      // Both are on the same wire, and keep the addresses that they have.
      await ip("route", "add", cidr, "dev", "halab-test");
      await lab.client("ip", "route", "add", cidr, "dev", "eth1");
      const subnet = ["--network", "external", "--ip-version", version, "--subnet-range", cidr, "--gateway", gateway];
      await lab.openstackDo("subnet", "create", ...subnet, "--no-dhcp", name);
    }
  }

  /** Also what a killed run has left. */
  async takeBack(): Promise<void> {
    await exec("ip", ["netns", "del", ROUTER]);
    await exec("ip", ["-n", "ha-lab-hv", "link", "del", FAR]);
    const subnets = await lab.openstack<{ Name: string }[]>("subnet", "list");
    for (const { name, cidr } of this.given) {
      await exec("ip", ["route", "del", cidr, "dev", "halab-test"]);
      await lab.client("ip", "route", "del", cidr, "dev", "eth1");
      if (subnets.some(({ Name }) => Name === name)) await lab.openstackDo("subnet", "delete", name);
    }
  }
}

function ip(...args: string[]): Promise<string> {
  return must("ip", ...args);
}

async function must(file: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await exec(file, args);
  if (code !== 0) throw new Error(`${file} ${args.join(" ")} ended with ${code}: ${stderr.trim()}`);
  return stdout;
}
