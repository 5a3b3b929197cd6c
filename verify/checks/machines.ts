import { type Finding, LOST_DATABASE, REPAIR } from "../finding";
import type { DeployedMachine } from "../gather/deployed";
import type { MachineFacts } from "../gather/facts";
import type { Server } from "../gather/nova";

/** A machine of which there is one thing to say. */
export interface Broken {
  finding: Finding;
  /** Whether all else that is wrong with it comes of that. */
  whole: boolean;
}

/**
 * What is wrong with a machine as a whole: one cause, where its files, daemons and addresses would be dozens.
 *
 * @param server what Nova says of it; absent where it can't be asked, or has none
 * @param facts absent where it could not be looked at
 */
export function checkMachine(machine: DeployedMachine, server?: Server, facts?: MachineFacts): Broken | undefined {
  const { name, role, commands, ports, ours } = machine;
  const pushed = Object.keys(commands).length > 0;
  const drift = (what: string, expected: string, found: string, mend: string): Finding => ({
    ...{ check: what === "disk" ? "files" : "cloud", where: name, what, severity: "drift", expected, found, mend },
  });
  if (ours && machine.server === undefined) {
    if (pushed)
      return { finding: drift("server", "in Pulumi's state", "not there", forgotten(machine)), whole: !facts };
    const found = ports.length === 0 ? "not made" : "not made, only its ports";
    return { finding: drift("server", "made by the last deployment", found, "pulumi up"), whole: true };
  }
  if (server?.status === "ERROR") {
    const found = `in ERROR: ${server.fault?.message ?? "the cloud says no more"}`;
    return { finding: drift("server", "ACTIVE", found, revive(machine, pushed)), whole: !facts };
  }
  if (!pushed) {
    const found = ours ? "made, but never pushed to" : "never pushed to";
    const finding: Finding = {
      ...{ check: "files", where: name, what: "push", severity: "drift" },
      ...{ expected: "pushed to by the last deployment", found, mend: "pulumi up" },
    };
    return { finding, whole: true };
  }
  if (facts === undefined || !isEmpty(machine, facts)) return undefined;
  const found = "it has an empty disk: nothing that was pushed is there (rebuilt, or evacuated?)";
  const mend = role === "database" ? `${REPAIR}: it joins anew and copies the data from another` : REPAIR;
  const finding = drift("disk", "what was pushed", found, mend);
  return { finding: { ...finding, repair: { kind: "push-all" } }, whole: true };
}

/** Where only pushes write. Elsewhere an image has files of its own by the same names, e.g. /etc/nftables.conf. */
const OURS = /^\/(opt|etc)\/ha-cluster\//;

function isEmpty({ files }: DeployedMachine, facts: MachineFacts): boolean {
  const seen = files.map(({ path }) => ({ path, file: facts.files.get(path) ?? { state: "absent" as const } }));
  const own = seen.filter(({ path }) => OURS.test(path));
  if (own.length === 0 || own.some(({ file }) => file.state !== "absent")) return false;
  return !seen.some(({ file }) => file.state === "present" && file.same);
}

function forgotten({ name, role }: DeployedMachine): string {
  const first = `openstack server show ${name}: one that is there has to go first`;
  return role === "database" ? `${first}, with its data: ${LOST_DATABASE}` : `${first}; pulumi up makes it anew`;
}

/** A server that never got anything has nothing to lose. */
function revive({ id, name, role }: DeployedMachine, pushed: boolean): string {
  const anew = `pulumi up --replace '**:Instance::${id}'`;
  if (!pushed) return `mend the cause, then ${anew}`;
  const reset = `openstack server reboot --hard ${name}`;
  return `${reset}; if that fails, ${role === "database" ? LOST_DATABASE : anew}`;
}
