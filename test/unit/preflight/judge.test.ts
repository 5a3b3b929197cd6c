import assert from "node:assert/strict";
import { test } from "node:test";
import type { Expected, Host } from "../../../preflight/expected";
import { type HostFacts, parseFacts, parseHeard } from "../../../preflight/facts";
import { judge, type Look } from "../../../preflight/judge";
import { packets } from "../../../preflight/packets";

function host(number: number): Host {
  return {
    name: `lb${number}`,
    external: { ipv4: `203.0.113.1${number}`, ipv6: `2001:db8:45:${number}::1` },
    internal: `198.51.100.1${number}`,
    interfaces: { external: "eth0", internal: "eth1" },
    release: "debian-12",
  };
}

const EXPECTED: Expected = {
  hosts: [host(1), host(2)],
  vips: { ipv4: ["203.0.113.100"], ipv6: ["2001:db8:45:67bb::1"], internal: "198.51.100.1" },
  routerIds: [51, 52, 53],
  binds: [
    { address: "203.0.113.100", port: 80 },
    { address: "2001:db8:45:67bb::1", port: 80 },
  ],
  backends: [{ address: "198.51.100.40", port: 8000 }],
};
const SENT = packets(EXPECTED);

function text(number: number, more = ""): string {
  return `release debian-12
clock 1000.5
keepalived 2.2.7
haproxy 2.6.12
free / 5000
free /var 5000
address eth0 203.0.113.1${number}/24
address eth0 2001:db8:45:${number}::1/64
mtu eth0 1500
address eth1 198.51.100.1${number}/24
mtu eth1 1500
listener 127.0.0.1:80 other
listener [::]:22 sshd
listener 203.0.113.100:80 haproxy
sources-interfaces yes
nonlocal-bind 0
ipv6-disabled 0
${more}`;
}

function healthy(number: number, more = ""): Look {
  const marks = SENT.filter((packet) => packet.to.name === `lb${number}`).flatMap(({ word }) => [
    `seen eth0 x ${word}`,
    `passed - x ${word}`,
  ]);
  return {
    host: EXPECTED.hosts[number - 1]!,
    facts: parseFacts(text(number, more), 1_000_000, 1_001_000),
    heard: parseHeard(["ready", ...marks, "advert eth0 203.0.113.11 51"].join("\n")),
    silent: [],
  };
}

function findings(first: Look, second: Look = healthy(2)): string[] {
  return judge(EXPECTED, [first, second], SENT).map(({ level, host: name, what }) => `${level} ${name}: ${what}`);
}

function changed(change: Partial<HostFacts>): Look {
  const look = healthy(1);
  return { ...look, facts: { ...look.facts!, ...change } };
}

/** As if these packets had not come through. */
function deaf(number: number, lost: (packet: (typeof SENT)[number]) => boolean): Look {
  const look = healthy(number);
  const gone = new Set(SENT.filter(lost).map(({ word }) => word));
  const left = (words: Set<string>): Set<string> => new Set([...words].filter((word) => !gone.has(word)));
  const { seen, passed } = look.heard!;
  return { ...look, heard: { ...look.heard!, seen: left(seen), passed: left(passed) } };
}

test("healthy hosts have nothing to mend", () => {
  assert.deepEqual(findings(healthy(1)), []);
});

test("what facts.sh prints is read", () => {
  const { facts } = healthy(1, "missing openssl\nread-only /var\nno-interface eth7\nunattended haproxy\n");
  assert.deepEqual(facts?.unattended, ["haproxy"]);
  assert.deepEqual(facts.versions, { keepalived: "2.2.7", haproxy: "2.6.12" });
  assert.deepEqual(facts.missing, ["openssl"]);
  assert.deepEqual(facts.readOnly, ["/var"]);
  assert.deepEqual(facts.missingInterfaces, ["eth7"]);
  assert.equal(facts.clockAhead, 0);
  assert.equal(facts.clockError, 500);
  assert.deepEqual(facts.listeners[1], { address: "::", port: 22, process: "sshd" });
});

test("a host that can't be reached hides nothing of the others", () => {
  const gone: Look = { host: EXPECTED.hosts[0]!, unreachable: "Connection refused", silent: [] };
  assert.deepEqual(findings(gone, changedSecond({ free: { "/var": 3 } })), [
    "problem lb1: cannot be looked at: Connection refused",
    "problem lb2: only 3 MiB are free on /var",
  ]);
});

function changedSecond(change: Partial<HostFacts>): Look {
  const look = healthy(2);
  return { ...look, facts: { ...look.facts!, ...change } };
}

const MACHINE: [Partial<HostFacts>, RegExp][] = [
  [{ unattended: ["keepalived", "haproxy"] }, /^warning lb1: lets unattended-upgrades update keepalived and haproxy$/],
  [{ release: "ubuntu-16.04" }, /problem lb1: runs ubuntu-16.04, the stack file says debian-12/],
  [{ versions: { haproxy: "2.6.12" } }, /problem lb1: keepalived is not installed/],
  [{ missing: ["openssl"] }, /warning lb1: openssl is missing/],
  [{ missing: ["perl"] }, /problem lb1: perl is missing/],
  [{ readOnly: ["/etc"] }, /problem lb1: nothing can be written to \/etc/],
  [{ missingInterfaces: ["eth1"] }, /problem lb1: has no interface eth1/],
  [{ nonlocalBind: true }, /warning lb1: has net.ipv4.ip_nonlocal_bind set/],
  [{ ipv6Disabled: true }, /problem lb1: has IPv6 switched off/],
  [{ mtu: { eth0: 1500, eth1: 1400 } }, /warning lb1: has interfaces of different MTU: eth0 1500, eth1 1400/],
  [{ clockAhead: 5000 }, /problem lb\d: its clock is -?5.0 s away/],
  [
    { listeners: [{ address: "*", port: 80, process: "apache2" }] },
    /problem lb1: apache2 listens on \*:80, where haproxy has to bind 203.0.113.100:80/,
  ],
  [
    { listeners: [{ address: "0.0.0.0", port: 80, process: "nginx" }] },
    /^problem lb1: nginx listens on 0.0.0.0:80, where haproxy has to bind 203.0.113.100:80$/,
  ],
  [
    { addresses: { eth0: ["203.0.113.99/24", "2001:db8:45:1::1/64"], eth1: ["198.51.100.11/24"] } },
    /problem lb1: does not have 203.0.113.11 on eth0/,
  ],
  [
    { sourcesInterfaces: false, addresses: { eth0: ["203.0.113.11/24"], eth1: ["198.51.100.11/24"] } },
    /problem lb1: does not have 2001:db8:45:1::1 yet, and \/etc\/network\/interfaces reads no other file/,
  ],
];

for (const [change, expected] of MACHINE) {
  test(`a host with ${JSON.stringify(change)}`, () => {
    assert.match(findings(changed(change)).join("\n"), expected);
  });
}

test("a backend that does not answer", () => {
  const look = { ...healthy(1), silent: ["198.51.100.40:8000"] };
  assert.deepEqual(findings(look), ["problem lb1: the backend 198.51.100.40:8000 does not answer it"]);
});

test("VRRP that one way drops is named with both addresses, and hides what follows from it", () => {
  const second = deaf(2, ({ to, path }) => to.name === "lb2" && path === "external IPv6");
  assert.deepEqual(findings(healthy(1), second), [
    "problem lb1: VRRP does not reach lb2 on the external IPv6 network (2001:db8:45:1::1 to 2001:db8:45:2::1): both would become master",
  ]);
});

test("a VIP that the hypervisor does not let a host use", () => {
  const second = deaf(2, ({ source }) => source === "203.0.113.100");
  assert.deepEqual(findings(healthy(1), second), [
    "problem lb1: must not send from 203.0.113.100 (external IPv4): the VIP would be dead on it",
  ]);
});

test("a firewall that lets VRRP in from the hosts alone, and not from VIPs, is as it should be", () => {
  const second = healthy(2);
  const vips = new Set(SENT.filter((packet) => packet.vip).map(({ word }) => word));
  const passed = new Set([...second.heard!.passed].filter((word) => !vips.has(word)));
  assert.deepEqual(findings(healthy(1), { ...second, heard: { ...second.heard!, passed } }), []);
});

test("a VRID of somebody else", () => {
  const look = healthy(1);
  const heard = { ...look.heard!, adverts: [{ interface: "eth0", source: "203.0.113.77", routerId: 52 }] };
  assert.deepEqual(findings({ ...look, heard }), [
    "problem lb1: VRID 52 is in use on eth0 by 203.0.113.77, which is none of the cluster's hosts",
  ]);
});
