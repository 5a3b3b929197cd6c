import assert from "node:assert/strict";
import { type Relay, relayEnd } from "../../../plan/relay";
import { bundle, file } from "../../../render/bundle";
import { RECOVER_SERVICE } from "../../../render/recover";
import { relayFiles } from "../../../render/relay";
import { edit, fixture } from "./bundles";
import type { Machine } from "./machine";
import { until } from "../../../operate/poll";
import { type Result, must, run } from "./shell";
import { Site } from "./site";

/** Exactly what a password of keepalived may have: 8 letters. */
const PASSWORD = "s3cr3tPW";
export const VIPS = ["203.0.113.48", "2001:db8:40::80", "198.51.100.200"];

/** The files bundle of each. */
export const files = {
  lb1: withRelay("193", "194", {
    ...{ NAME: "lb1", PRIORITY: "128", HOST: "33", PEER: "34", INTERNAL: "193", INTERNAL_PEER: "194" },
  }),
  lb2: withRelay("194", "193", {
    ...{ NAME: "lb2", PRIORITY: "114", HOST: "34", PEER: "33", INTERNAL: "194", INTERNAL_PEER: "193" },
  }),
};

/** The relay's files as they are rendered for a cluster; the fixture has all others, and haproxy's listeners. */
function withRelay(self: string, peer: string, values: Record<string, string>): string {
  const text = fixture("load-balancer.files", values);
  const listeners = /\/etc\/ha-cluster\/listeners .*\n((?!==>)(.*\n)+?)==>/.exec(text)![1]!;
  const binds = listeners
    .trimEnd()
    .split("\n")
    .map((line) => ({ address: line.split(" ")[0]!, port: Number(line.split(" ")[1]) }));
  const relay: Relay = {
    self: relayEnd(`198.51.100.${self}`),
    peers: [relayEnd(`198.51.100.${peer}`)],
    externalInterface: "eth0",
    internalInterface: "eth1",
    services: {
      ipv4: binds.filter(({ address }) => !address.includes(":")),
      ipv6: binds.filter(({ address }) => address.includes(":")),
    },
  };
  return edit(
    text,
    "==> end\n",
    bundle([...relayFiles(relay), file("/etc/systemd/system/ha-cluster-recover.service", RECOVER_SERVICE)]),
  );
}

export function secretsWith(pem: string): string {
  return fixture("load-balancer.secrets", { CERTIFICATE: pem, PASSWORD });
}

/** A namespace on the external network that plays the internet. */
export class Client {
  private constructor(private readonly namespace: string) {}

  static on(site: Site): Client {
    const namespace = site.addNamespace("client", ["external"]);
    must("ip", "-n", namespace, "address", "add", "203.0.113.58/27", "dev", "eth0");
    must("ip", "-n", namespace, "address", "add", "2001:db8:40::90/48", "dev", "eth0", "nodad");
    return new Client(namespace);
  }

  /** How to run a command there. */
  inside(...command: string[]): [file: string, args: string[]] {
    return ["ip", ["netns", "exec", this.namespace, ...command]];
  }

  /** The body; what came of it when the whole doesn't come within `seconds`. */
  async get(url: string, seconds = 2): Promise<string> {
    const [file, args] = this.inside("curl", "-gsk", "--max-time", `${seconds}`, url);
    return (await run([file, ...args])).stdout;
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
export async function vips(machine: Machine, of: readonly string[] = VIPS): Promise<string[]> {
  const addresses = (await machine.output("ip -o addr show | awk '{ print $4 }'")).split("\n");
  return of.filter((vip) => addresses.some((address) => address.split("/")[0] === vip));
}

export async function untilMaster(machine: Machine, all: readonly string[] = VIPS): Promise<void> {
  await until(
    `${machine.name} has all VIPs`,
    () => vips(machine, all),
    (held) => held.length === all.length,
    { seconds: 60 },
  );
}

/** The drain ends when no connection is left, and the mark is the operator's, or gone. */
export async function untilDrained(machine: Machine): Promise<void> {
  await until(
    `the drain of ${machine.name} is over`,
    () => machine.run("systemctl is-active ha-cluster-drain"),
    ({ code }) => code !== 0,
  );
  assert.equal(await machine.output("ls /run/ha-cluster/draining 2>/dev/null || :"), "");
}

/** Two that were pushed to, the first of which has the VIPs. */
export interface Pair {
  lb1: Machine;
  lb2: Machine;
  /** Certificate and key that both serve. */
  pem: string;
}

/** @param change what each one's files are beside the fixture's */
export async function bootPair(site: Site, change = (text: string): string => text): Promise<Pair> {
  const [lb1, lb2] = await Promise.all([
    site.boot("lb1", ["external", "internal"]),
    site.boot("lb2", ["external", "internal"]),
  ]);
  const pem = await certificate(lb1, "www");
  for (const machine of [lb1, lb2]) {
    assertDone(await machine.push("load-balancer", "secrets", secretsWith(pem)));
    assertDone(await machine.push("load-balancer", "files", change(machine === lb1 ? files.lb1 : files.lb2)));
  }
  await untilMaster(lb1);
  return { lb1, lb2, pem };
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
