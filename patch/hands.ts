import type { Fleet } from "../operate/fleet";
import { SCRIPTS } from "../plan/vrrp";
import { type Check, SERVING } from "../verify/finding";
import type { Deployed } from "../verify/gather/deployed";
import { lookAtAll } from "../verify/gather/machine";
import { judge } from "../verify/verify";
import { type Facts, parseFacts } from "./facts";
import type { Server } from "./order";
import type { Hands, Health } from "./rollout";

/** What `npm run verify` looks at on the machines themselves. Files count, as daemons start anew from them. */
const WELL: readonly Check[] = [...SERVING, "files", "backends", "disk"];

/** Longer than downloads, a farewell, an update and a database's join take together. */
const RUN_SECONDS = 3600;

const LOOK_SECONDS = 400;

/** All machines of a stack, by ssh. */
export function handsOf(fleet: Fleet, deployed: Deployed, say: (text: string) => void): Hands {
  const script = ({ role }: Server, words: string): string => `${SCRIPTS}/patch.sh ${role} ${words}`;
  return {
    say,
    health: () => healthOf(fleet, deployed),
    run: (server, when) => {
      const echo = lines((line) => say(`${server.name}: ${line}`));
      return fleet.run(server.name, script(server, `run ${when}`), { seconds: RUN_SECONDS, echo });
    },
    state: async ({ name }) => {
      const ask = "cat /proc/sys/kernel/random/boot_id; cat /run/ha-cluster/patch-ended 2>/dev/null || :";
      const { code, stdout } = await fleet.run(name, ask, { seconds: 20 });
      const [boot, ended] = stdout.trim().split("\n");
      if (code !== 0 || boot === undefined || boot === "") return undefined;
      return { boot, ...(ended === undefined ? {} : { ended: Number(ended) }) };
    },
    serves: async (server) => {
      const { code, stderr, stdout } = await fleet.run(server.name, script(server, "serves"), { seconds: 30 });
      return code === 0 ? undefined : (stderr + stdout).trim() || `ssh ended with ${code}`;
    },
  };
}

/** What there is to do on a server; a text says why it can't be told. */
export async function lookAt(fleet: Fleet, { name, role }: Server): Promise<Facts | string> {
  const { code, stdout, stderr } = await fleet.run(name, `${SCRIPTS}/patch.sh ${role} look`, { seconds: LOOK_SECONDS });
  if (code !== 0) return stderr.trim() || `ended with ${code}`;
  try {
    return parseFacts(stdout);
  } catch (error) {
    return (error as Error).message;
  }
}

async function healthOf(fleet: Fleet, deployed: Deployed): Promise<Health> {
  const seen = await lookAtAll(fleet, deployed.machines);
  const findings = judge(deployed, { ...seen, answers: [], drift: [], ahead: [] }, new Date());
  const masters = seen.looks.filter(({ facts }) =>
    [...facts.marks].some(([mark, state]) => mark.startsWith("group-") && state === "MASTER"),
  );
  const active = masters.length === 1 ? masters[0]!.machine.name : undefined;
  return {
    problems: findings
      .filter(({ check, severity }) => WELL.includes(check) && severity !== "warning")
      .map(({ where, what, found, expected }) => `${where} ${what}: ${found}; expected: ${expected}`),
    ...(active === undefined ? {} : { active }),
  };
}

/** Whole lines of what comes in pieces. */
function lines(each: (line: string) => void): (text: string) => void {
  let rest = "";
  return (text) => {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    parts.forEach(each);
  };
}
