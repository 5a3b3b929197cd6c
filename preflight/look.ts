import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Fleet } from "../operate/fleet";
import { until } from "../operate/poll";
import { endpoint, type Endpoint, type Expected, type Host } from "./expected";
import { type Heard, type HostFacts, parseFacts, parseHeard } from "./facts";
import type { Look } from "./judge";
import { type Packet, packets } from "./packets";

const NODE = join(__dirname, "..", "node");
const FACTS = readFileSync(join(NODE, "preflight", "facts.sh"), "utf8");
const VRRP_PROBE = readFileSync(join(NODE, "preflight", "vrrp-probe.sh"), "utf8");
const ASK = readFileSync(join(NODE, "push", "ask.sh"), "utf8");

/** Long enough for three adverts of the slowest keepalived (1 s is the default), and for all packets of ours. */
const LISTEN_SECONDS = 8;

/** Looks at every host, side by side; what can't be reached says why, and keeps nothing from the others. */
export async function look(fleet: Fleet, expected: Expected): Promise<{ looks: Look[]; sent: Packet[] }> {
  const looks = await Promise.all(expected.hosts.map((host) => facts(fleet, host)));
  const reached = looks.filter((each) => each.facts !== undefined);
  // An IPv6 address that only the rollout will bring can neither send nor answer yet.
  const hosts = reached.map(({ host, facts }) => withoutMissingIpv6(host, facts!));
  await Promise.all(
    reached.map(async (each) => {
      each.silent = await silent(fleet, each.host, expected.backends);
    }),
  );
  const sent = packets({ ...expected, hosts });
  const heard = await listen(fleet, hosts, sent);
  for (const each of reached) each.heard = heard.get(each.host.name)!;
  return { looks, sent };
}

function withoutMissingIpv6(host: Host, { addresses }: HostFacts): Host {
  const { ipv4, ipv6 } = host.external;
  const has = (addresses[host.interfaces.external] ?? []).some((each) => each.split("/")[0] === ipv6);
  return { ...host, external: { ipv4, ...(has && ipv6 !== undefined ? { ipv6 } : {}) } };
}

async function facts(fleet: Fleet, host: Host): Promise<Look> {
  const { external, internal } = host.interfaces;
  // The connection first: setting it up is no part of the clock's error.
  const { code, stderr } = await fleet.run(host.name, "true");
  if (code !== 0) return { host, silent: [], unreachable: stderr.trim() || `ssh ended with ${code}` };
  const asked = Date.now();
  const { stdout } = await fleet.run(host.name, `sh -s -- ${external} ${internal}`, { input: FACTS });
  return { host, silent: [], facts: parseFacts(stdout, asked, Date.now()) };
}

async function silent(fleet: Fleet, host: Host, backends: readonly Endpoint[]): Promise<string[]> {
  const places = backends.map(({ address, port }) => `${address}=${port}`).join(" ");
  const script = `t=$(mktemp) && cat >$t; for place in ${places}; do sh $t tcp "\${place%=*}" "\${place#*=}" 2; done; rm -f $t`;
  const { stdout } = await fleet.run(host.name, script, { input: ASK, seconds: 30 + 3 * backends.length });
  const answers = stdout.split("\n");
  return backends.filter((_, index) => answers[index] !== "open").map(endpoint);
}

/** All hosts listen while each sends its packets. */
async function listen(fleet: Fleet, hosts: readonly Host[], sent: readonly Packet[]): Promise<Map<string, Heard>> {
  const ready = new Set<Host>();
  const listening = hosts.map(async (host): Promise<[string, Heard]> => {
    const { external, internal } = host.interfaces;
    const { stdout } = await fleet.run(host.name, `sh -s -- listen ${LISTEN_SECONDS} ${external} ${internal}`, {
      input: VRRP_PROBE,
      echo: (text) => text.includes("ready") && ready.add(host),
    });
    return [host.name, parseHeard(stdout)];
  });
  try {
    await until(
      "all hosts to listen",
      () => Promise.resolve(ready.size),
      (count) => count === hosts.length,
      { seconds: LISTEN_SECONDS / 2, every: 50 },
    );
    await Promise.all(hosts.map((host) => send(fleet, host, sent)));
  } finally {
    await Promise.allSettled(listening);
  }
  return new Map(await Promise.all(listening));
}

async function send(fleet: Fleet, host: Host, sent: readonly Packet[]): Promise<void> {
  const own = sent.filter(({ from }) => from.name === host.name);
  const lines = own.map(({ word, source, target }) => `sh $t send ${word} ${source} ${target}`).join("\n");
  await fleet.run(host.name, `t=$(mktemp) && cat >$t\n${lines}\nrm -f $t`, { input: VRRP_PROBE });
}
