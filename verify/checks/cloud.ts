import { type Finding, LAST_RUN, REPAIR, STATE } from "../finding";
import type { Deployed } from "../gather/deployed";
import type { Step } from "../gather/engine";
import type { Rule } from "../gather/neutron";
import { PROBE, type Server } from "../gather/nova";
import { COMMAND, nameOf, typeOf } from "../gather/state";

/**
 * Resources of the cloud that differ from what was deployed: pairs, addresses, rules, power states and all else.
 *
 * @param said URNs of those that there is a finding of already
 */
export function checkDrift(steps: readonly Step[], said: ReadonlySet<string>): Finding[] {
  return steps
    .filter(({ urn }) => typeOf(urn).startsWith("openstack:") && !said.has(urn))
    .flatMap((step) => {
      const about = {
        check: "cloud",
        where: "cloud",
        severity: "drift",
        mend: REPAIR,
        repair: { kind: "refresh" },
      } as const;
      const what = `${typeOf(step.urn).split(":").at(-1)!} ${nameOf(step.urn)}`;
      if (step.op === "delete") return [{ ...about, what, expected: "there, as deployed", found: "gone" }];
      const keys = step.diffReasons ?? [];
      return (keys.length === 0 ? ["properties"] : keys).map((key) => ({
        ...about,
        what: `${what} ${key}`,
        expected: shown(step.oldState?.outputs?.[key]),
        found: shown(step.newState?.outputs?.[key]),
      }));
    });
}

/** Rules in our security groups that somebody else made: they let in what the plan does not. */
export function checkRules(rules: readonly Rule[], { groups, rules: ours }: Deployed["cloud"]): Finding[] {
  return rules
    .filter((rule) => !ours.has(rule.id) && !isDefaultEgress(rule))
    .map((rule) => ({
      check: "cloud",
      where: "cloud",
      what: `rule of security group ${groups.get(rule.security_group_id) ?? rule.security_group_id}`,
      severity: "drift",
      expected: "only rules that were deployed",
      found: describeRule(rule, groups),
      mend: `${REPAIR} deletes it; if it is meant, put it into the stack`,
      repair: { kind: "delete-rule", id: rule.id },
    }));
}

/**
 * What an `up` made to find out whether a zone has room, and was killed before it deleted it: it takes the place that it asked for.
 */
export function checkProbes(servers: readonly Server[], hostnames: ReadonlySet<string>): Finding[] {
  return servers
    .filter(({ name = "", metadata = {} }) => PROBE in metadata && hostnames.has(name.replace(/-room$/, "")))
    .map(({ id, name = "" }) => ({
      check: "cloud",
      where: "cloud",
      what: `server ${name}`,
      severity: "drift",
      expected: "gone",
      found: "left of a `pulumi up` that asked whether a zone has room, and was killed",
      mend: `openstack server delete ${id}`,
    }));
}

/** Neutron itself lets everything out of a new group, by one rule per family. */
function isDefaultEgress(rule: Rule): boolean {
  return (
    rule.direction === "egress" &&
    rule.protocol === null &&
    rule.remote_ip_prefix === null &&
    rule.remote_group_id === null
  );
}

function describeRule(rule: Rule, groups: Deployed["cloud"]["groups"]): string {
  const { port_range_min: first, port_range_max: last } = rule;
  const ports = first === null ? "" : first === last || last === null ? ` ${first}` : ` ${first}-${last}`;
  const group = rule.remote_group_id;
  const sender = group === null ? (rule.remote_ip_prefix ?? "anybody") : `group ${groups.get(group) ?? group}`;
  const direction = rule.direction === "ingress" ? "from" : "to";
  return `${rule.ethertype} ${rule.protocol ?? "any"}${ports} ${direction} ${sender} (${rule.id})`;
}

/** What stands is then not what the state has: each repair would be by what was, and be refused by the cloud. */
export function checkState(lines: readonly string[]): Finding[] {
  if (lines.length === 0) return [];
  const found = `a run was cut or is at work, or it is older than the cloud: ${lines.slice(0, 3).join("; ")}${lines.length > 3 ? ` and ${lines.length - 3} more` : ""}`;
  const about = { check: "stack", where: "stack", what: STATE, severity: "drift" } as const;
  return [{ ...about, expected: "what the cloud has", found, mend: "npm run recover -- run" }];
}

/** What the next `pulumi up` would change, and a repair would roll out along with it. */
export function checkAhead(steps: readonly Step[]): Finding[] {
  if (steps.length === 0) return [];
  const about = { check: "stack", where: "stack", severity: "warning" } as const;
  if (steps.every(isAgain)) {
    const found = `it was cut, and nobody knows which machines it came to; what was deployed is pushed to them again (${steps.length} pushes)`;
    return [{ ...about, what: LAST_RUN, expected: "it came to its end", found, mend: "pulumi up" }];
  }
  const names = steps.map(({ urn }) => nameOf(urn)).sort();
  const more = names.length > 5 ? ` and ${names.length - 5} more` : "";
  return [
    {
      ...about,
      what: "stack file and program",
      expected: "as deployed",
      found: `${steps.every(({ op }) => op === "create") ? "never made:" : "another state for"} ${names.slice(0, 5).join(", ")}${more}`,
      mend: "pulumi preview --diff, then pulumi up; everything else here is compared with what was deployed",
    },
  ];
}

/** A push of what is deployed already: only the words differ that say after what it is pushed; see change/after.ts. */
function isAgain({ urn, diffReasons = [], oldState, newState }: Step): boolean {
  const [before, after] = [oldState, newState].map((state) =>
    String(state?.inputs?.["create"]).replace(/ # after: .*?(?= # as \S+$|$)/, ""),
  );
  return (
    typeOf(urn) === COMMAND &&
    diffReasons.length > 0 &&
    diffReasons.every((key) => key === "create" || key === "update") &&
    before === after
  );
}

/** Of lists of addresses, the addresses. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map(shown).join(", ");
  if (typeof value === "object" && value !== null) {
    return "ipAddress" in value ? String(value.ipAddress) : JSON.stringify(value);
  }
  if (value === undefined || value === "") return "nothing";
  return typeof value === "string" ? value : JSON.stringify(value);
}
