import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkAhead, checkState } from "../../../verify/checks/cloud";
import { type Finding, LAST_RUN, STATE } from "../../../verify/finding";
import type { Step } from "../../../verify/gather/engine";
import { asJson, asTable, exitCode } from "../../../verify/report";
import { planRepairs, refusal } from "../../../verify/repair";
import type { Rule } from "../../../verify/gather/neutron";
import type { Server } from "../../../verify/gather/nova";
import { judge } from "../../../verify/verify";
import { OTHER_CERTIFICATE, PRIVATE_KEY } from "../config/fixtures/pem";
import { BACKUP, CASES, file } from "./fixtures/cases";
import { deployed, healthy, MASTER, NOW } from "./fixtures/cluster";

describe("judge", () => {
  test("has nothing to say of a healthy cluster", () => {
    const all = deployed();
    assert.deepEqual(judge(all, healthy(all), NOW), []);
  });

  for (const { kind, change, check, where, what, severity = "drift", found, repair } of CASES) {
    test(`finds: ${kind}`, () => {
      const all = deployed();
      const seen = healthy(all);
      change(seen, all);
      const findings = judge(all, seen, NOW);
      assert.equal(findings.length, 1, JSON.stringify(findings));
      const [finding] = findings as [Finding];
      assert.deepEqual([finding.check, finding.where, finding.severity], [check, where, severity]);
      assert.match(finding.what, what);
      assert.match(finding.found, found);
      assert.notEqual(finding.mend, "");
      assert.equal(finding.repair?.kind, repair);
      assert.equal(exitCode(findings), { drift: 1, warning: 0, unknown: 2 }[severity]);
    });
  }

  test("a machine that can't be reached is a finding, and the master may be there", () => {
    const all = deployed();
    const seen = healthy(all);
    seen.looks = seen.looks.filter(({ machine }) => machine.name !== MASTER);
    seen.unreached = [{ name: MASTER, reason: "Connection timed out" }];
    const findings = judge(all, seen, NOW);
    assert.deepEqual(
      findings.map(({ check, where, found }) => [check, where, found]),
      [["reachability", MASTER, "Connection timed out"]],
    );
  });

  test("what a killed `up` left that had asked for room is told with how to delete it; others' servers are not", () => {
    const all = deployed();
    const seen = healthy(all);
    const server = (id: string, name: string, metadata: Record<string, string>) => ({
      ...{ id, name, metadata },
      status: "ACTIVE",
    });
    const ours = `${all.machines[0]!.name}-room`;
    seen.servers = [
      ...(seen.servers as Server[]),
      server("left", ours, { "ha-cluster-room": "dev" }),
      server("unmarked", ours, {}),
      server("other", "acme-lb-dc1-room", { "ha-cluster-room": "acme" }),
    ];
    assert.deepEqual(
      judge(all, seen, NOW).map(({ what, severity, mend }) => [what, severity, mend]),
      [[`server ${ours}`, "drift", "openstack server delete left"]],
    );
  });

  test("firewall and kernel settings of a host that somebody else built are theirs", () => {
    const all = deployed();
    const relay = "/etc/systemd/system/ha-cluster-relay.service";
    const theirs = ["/etc/nftables.conf", "/etc/sysctl.d/50-ha-cluster.conf", relay];
    for (const machine of all.machines) machine.files = machine.files.filter(({ path }) => !theirs.includes(path));
    const seen = healthy(all);
    for (const { facts } of seen.looks) {
      facts.units.get("nftables.service")!.enabled = "disabled";
      facts.units.delete("ha-cluster-relay.service");
      facts.firewall = ["< table inet filter {"];
      facts.sysctls.set("net.ipv4.ip_forward", "0").set("net.ipv4.ip_nonlocal_bind", "1");
    }
    assert.deepEqual(judge(all, seen, NOW), []);
  });

  test("the content of a secret file is never shown", () => {
    const all = deployed();
    const seen = healthy(all);
    file(seen, BACKUP, "/etc/haproxy/certs/www.pem", { same: false, text: PRIVATE_KEY });
    const verdict = { deployed: all, seen, findings: judge(all, seen, NOW) };
    const shown = asJson("dev", verdict) + asTable("dev", verdict, 1);
    assert.match(shown, /www\.pem/);
    assert.ok(!shown.includes(PRIVATE_KEY.split("\n")[1]!));
  });
});

describe("certificates", () => {
  function found(change: (pem: string) => string, now = NOW): [string, string][] {
    const all = deployed();
    for (const { files } of all.machines) {
      for (const each of files) if (each.path.endsWith("www.pem")) each.text = change(each.text);
    }
    return judge(all, { ...healthy(all), answers: [] }, now)
      .filter(({ check }) => check === "certificates")
      .map(({ severity, found: said }) => [severity, said]);
  }
  const same = (pem: string): string => pem;

  test("warn three weeks before the end, and fail a week before", () => {
    assert.deepEqual(found(same, new Date("2126-10-08T19:00:00Z")), []);
    assert.deepEqual(found(same, new Date("2126-10-09T20:00:00Z")), [["warning", "19"]]);
    assert.deepEqual(found(same, new Date("2126-10-23T20:00:00Z")), [["drift", "5"]]);
  });

  test("must fit their key", () => {
    assert.deepEqual(
      found((pem) => pem.replace(/-----BEGIN CERT[\s\S]*?END CERTIFICATE-----\n/, OTHER_CERTIFICATE)),
      [["drift", "the key of another one"]],
    );
  });

  test("must be followed by who signed them", () => {
    const [[severity, said]] = found((pem) => pem.replace(/(?=-----BEGIN PRIVATE)/, OTHER_CERTIFICATE)) as [
      [string, string],
    ];
    assert.equal(severity, "drift");
    assert.match(said, /CN=other\.acme\.example/);
  });

  test("must be readable", () => {
    assert.deepEqual(
      found(() => "nothing"),
      [["drift", "can't be read"]],
    );
  });
});

test("a run that was cut is told from a stack file that has moved on", () => {
  const step = (create: string, more: Partial<Step> = {}): Step => ({
    ...{
      op: "update",
      urn: "urn:pulumi:dev::ha-cluster::command:remote:Command::lb-dc1-scripts",
      diffReasons: ["create", "update"],
    },
    oldState: { type: "command:remote:Command", inputs: { create: "sudo -n sh # after: restarted # as debian" } },
    newState: { type: "command:remote:Command", inputs: { create } },
    ...more,
  });
  const said = (...steps: Step[]): string => checkAhead(steps)[0]!.what;
  const again = step("sudo -n sh # after: restarted; rollout 4 was cut # as debian");
  assert.deepEqual(checkAhead([]), []);
  assert.equal(said(again), LAST_RUN);
  for (const other of [
    step("sudo -n sh # after: rollout 4 was cut # as admin"),
    step("sh # after: rollout 4 was cut # as debian"),
    { ...again, diffReasons: ["create", "stdin"] },
    { ...again, diffReasons: [] },
    { ...again, urn: "urn:pulumi:dev::ha-cluster::openstack:networking/port:Port::lb-dc1-internal" },
  ])
    assert.equal(said(again, other), "stack file and program");
});

describe("repairs", () => {
  const finding = (repair: Finding["repair"], where = BACKUP): Finding => ({
    ...{ check: "files", where, what: "", severity: "drift", expected: "", found: "", mend: "" },
    ...(repair ? { repair } : {}),
  });

  test("each Command once, refreshing only for the cloud's sake", () => {
    const all = deployed();
    const push = finding({ kind: "push", part: "config" });
    const urnOf = all.machines.find(({ name }) => name === BACKUP)!.commands.config!;
    assert.deepEqual(planRepairs([push, push], all), { rules: [], marked: [], attach: [], up: ["--replace", urnOf] });
    assert.deepEqual(planRepairs([finding({ kind: "refresh" }, "cloud")], all), {
      rules: [],
      marked: [],
      attach: [],
      up: ["--refresh"],
    });
    assert.deepEqual(planRepairs([finding({ kind: "delete-rule", id: "r" }), finding({ kind: "unmark" })], all), {
      rules: ["r"],
      marked: [BACKUP],
      attach: [],
    });
    assert.deepEqual(planRepairs([finding(undefined)], all), { rules: [], marked: [], attach: [] });
  });

  test("none while the stack file has moved on, or nobody can tell", () => {
    const stack = { ...finding(undefined, "stack"), check: "stack" } as const;
    assert.equal(refusal([finding(undefined)]), undefined);
    assert.match(refusal([{ ...stack, severity: "warning" }])!, /moved on/);
    assert.match(refusal([{ ...stack, severity: "unknown" }])!, /can't be seen/);
    const [older] = checkState(["server app-dc1-1: the state has a, which is gone, and gets b"]);
    assert.match(refusal([older!])!, /^nothing repaired: npm run recover -- run comes first: .*older than the cloud/);
    assert.match(refusal([{ ...stack, severity: "warning" }, older!])!, /recover/);
    assert.deepEqual(checkState([]), []);
  });

  test("of what differs from a state that is not true, that comes first", () => {
    const all = deployed();
    const seen = { ...healthy(all), unknown: ["server app-dc1-1: it is there (b), the state gets it"] };
    const strange = { ...(healthy(all).rules as [Rule])[0], id: "strange" };
    const [rule, state] = judge(all, { ...seen, rules: [strange] }, NOW);
    assert.deepEqual([state!.what, state!.mend], [STATE, "npm run recover -- run"]);
    assert.match(rule!.mend, /^first npm run recover -- run; then npm run verify/);
  });
});
