import assert from "node:assert/strict";
import { fixture } from "./bundles";
import type { Machine } from "./machine";
import { type Result, eventually, must, run } from "./shell";
import { Site } from "./site";

/** Exactly what a password of keepalived may have: 8 letters. */
const PASSWORD = "s3cr3tPW";
export const VIPS = ["203.0.113.48", "2001:db8:40::80", "198.51.100.200"];

/** The files bundle of each. */
export const files = {
  lb1: fixture("load-balancer.files", {
    ...{ NAME: "lb1", PRIORITY: "110", HOST: "33", PEER: "34", INTERNAL: "193", INTERNAL_PEER: "194" },
  }),
  lb2: fixture("load-balancer.files", {
    ...{ NAME: "lb2", PRIORITY: "105", HOST: "34", PEER: "33", INTERNAL: "194", INTERNAL_PEER: "193" },
  }),
};

export function secretsWith(pem: string): string {
  return fixture("load-balancer.secrets", { CERTIFICATE: pem, PASSWORD });
}

/** A namespace on the external network that plays the internet. */
export class Client {
  private constructor(private readonly namespace: string) {}

  static on(site: Site): Client {
    const namespace = site.addNamespace("client", ["external"]);
    must("ip", "-n", namespace, "address", "add", "203.0.113.58/27", "dev", "eth0");
    must("ip", "-n", namespace, "address", "add", "2001:db8:40::90/64", "dev", "eth0", "nodad");
    return new Client(namespace);
  }

  /** The body; empty when nobody answers within two seconds. */
  async get(url: string): Promise<string> {
    return (await run(["ip", "netns", "exec", this.namespace, "curl", "-gsk", "--max-time", "2", url])).stdout;
  }
}

/** A certificate followed by its key, made on a machine. */
export async function certificate(machine: Machine, name: string): Promise<string> {
  const curve = "-newkey ec -pkeyopt ec_paramgen_curve:P-256";
  return machine.output(
    `openssl req -x509 -nodes -days 2 ${curve} -subj /CN=${name} -keyout /tmp/${name}.key -out /tmp/${name}.crt 2>/tmp/words ` +
      `&& cat /tmp/${name}.crt /tmp/${name}.key`,
  );
}

/** Those that the machine holds. */
export async function vips(machine: Machine): Promise<string[]> {
  const addresses = (await machine.output("ip -o addr show | awk '{ print $4 }'")).split("\n");
  return VIPS.filter((vip) => addresses.some((address) => address.split("/")[0] === vip));
}

export async function untilMaster(machine: Machine): Promise<void> {
  await eventually(`${machine.name} has all VIPs`, 15, async () => (await vips(machine)).length === VIPS.length);
}

/** All files that a push may touch with their modes, owners, times and inodes, and the daemons' pids. */
export function footprint(machine: Machine): Promise<string> {
  return machine.output(
    "cd /etc && find haproxy keepalived ha-cluster network nftables.conf systemd/system sysctl.d -type f | sort | " +
      "xargs stat -c '%n %a %U %Y %i' && systemctl show -p MainPID haproxy keepalived && " +
      "pgrep -P $(systemctl show -p MainPID --value haproxy) && ls /var/lib/ha-cluster/owned",
  );
}

export function assertDone(result: Result): void {
  assert.equal(result.code, 0, result.text);
  assert.doesNotMatch(result.text, new RegExp(PASSWORD));
}

export function assertRefused(result: Result, words: RegExp): void {
  assert.notEqual(result.code, 0, result.text);
  assert.match(result.stderr, words);
  assert.doesNotMatch(result.text, new RegExp(PASSWORD));
}
