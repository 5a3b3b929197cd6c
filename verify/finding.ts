/** Which of a machine's three pushes brings it back; see components/remote.ts. */
export type Part = "scripts" | "secrets" | "config";

/** How `--repair` mends a finding; without one, a person has to. */
export type Repair =
  | { kind: "push"; part: Part }
  /** All three parts, onto an empty disk. */
  | { kind: "push-all" }
  /** The cloud, by `pulumi up --refresh`. */
  | { kind: "refresh" }
  /** A maintenance mark, which is no file of a push, on the machine itself. */
  | { kind: "unmark" }
  /** Ports, to the server that lost them; `anew` where Pulumi has to make one first. */
  | { kind: "attach"; anew: boolean }
  /** A rule that is not Pulumi's, by Neutron's API. */
  | { kind: "delete-rule"; id: string };

export const CHECKS = [
  "reachability",
  "files",
  "daemons",
  "firewall",
  "network",
  "listeners",
  "vrrp",
  "backends",
  "galera",
  "certificates",
  "outside",
  "cloud",
  "versions",
  "clock",
  "disk",
  "units",
  "stack",
] as const;

export type Check = (typeof CHECKS)[number];

/** Drift of these means that a server may not be able to serve alone. */
export const SERVING: readonly Check[] = [
  "reachability",
  "daemons",
  "firewall",
  "network",
  "listeners",
  "vrrp",
  "galera",
];

/** One difference between what was deployed and what is. It never holds a secret. */
export interface Finding {
  check: Check;
  /** A machine's host name, a URL, `cloud` or `stack`. */
  where: string;
  /** The file, unit, address, port or rule. */
  what: string;
  /** `drift` is to be mended, `warning` to be known, `unknown` could not be looked at. */
  severity: "drift" | "warning" | "unknown";
  expected: string;
  found: string;
  /** What a person does about it. */
  mend: string;
  repair?: Repair;
}

/** What a run is called that did not come to its end, though it brought nothing that the stack file hasn't now. */
export const LAST_RUN = "last pulumi up";

/** What state and cloud not knowing each other is called; see recover/. */
export const STATE = "state";

export const REPAIR = "npm run verify -- --repair";

/** Where it says what a person has to decide before a database server is made anew, or databases are started. */
export const LOST_DATABASE = 'docs/recover.md: "A database server is lost"';
export const LOST_DATABASES = 'docs/recover.md: "A database server is lost", "No database runs"';

/** What a push of this part to this machine mends. */
export function pushable(part: Part, finding: Omit<Finding, "severity" | "mend" | "repair">): Finding {
  return { ...finding, severity: "drift", mend: REPAIR, repair: { kind: "push", part } };
}
