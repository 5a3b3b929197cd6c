import type { Plan } from "../plan/plan";
import { bundle } from "../render/bundle";
import { cut } from "./after";
import type { Change, PlannedServer } from "./change";
import type { Deployed, Resource } from "./deployed";
import { bundlesOf, filesBetween } from "./files";
import { inTheirOrder } from "./route";

/**
 * The last `pulumi up` of a stack. Pulumi's own notes would not do: a push whose connection broke has failed, though the machine
 * went on and has the new files; and of what a killed run had begun most is forgotten when the next one begins.
 */
export interface Rollout {
  /** Of all runs of the stack, from 1; 0 for one by a release that noted nothing. */
  number: number;
  /** Whether all that it brought has arrived. */
  ended: boolean;
  /** Otherwise, by server id: texts that a machine may have, beside the one that the state says; none of those that are new. */
  brings: Record<string, string[]>;
}

/** What a run notes of itself before it touches anything. */
export interface Begun {
  number: number;
  /** What runs before it may have left. */
  left: Rollout["brings"];
  /** What it brings to those that stand, in its order. */
  steps: Step[];
  /** Ids of those that nothing was pushed to before. */
  made: string[];
}

interface Step {
  id: string;
  /** Words of what is for the time until others have been changed, which differ from those of last time; see change/moves.ts. */
  between?: string;
  /** Words that the state has when it has arrived, where it carries what the state has already; see change/after.ts. */
  after?: string;
  /** It is only begun when everything before it of the same chain has arrived, and of all chains with a lower number. */
  chain: [number: number, name: string];
  text: string;
}

/** What the state knows to have arrived: by server id, the text of a configuration, the words of {@link Step}, and of change/after.ts. */
type Arrived = Record<"bundles" | "betweens" | "after", Readonly<Record<string, string | undefined>>>;

/**
 * @param begun what the cluster's component has noted; absent where it was last pushed to by a release that noted nothing
 * @param ended the number that was noted at the end of a run
 * @param cut by Command's name what Pulumi says was begun, which counts where nothing was noted
 */
export function rolloutOf(
  begun: Begun | undefined,
  ended: number | undefined,
  cut: ReadonlyMap<string, Resource>,
  arrived: Arrived,
): Rollout {
  if (begun) return { number: begun.number, ended: begun.number === ended, brings: bringsOf(begun, arrived) };
  const brings: Record<string, string[]> = {};
  for (const [name, { inputs }] of cut) {
    const [, id] = /^(.+)-(?:config|between)$/.exec(name) ?? [];
    if (id !== undefined && typeof inputs?.["stdin"] === "string") (brings[id] ??= []).push(inputs["stdin"]);
  }
  return { number: 0, ended: cut.size === 0, brings };
}

function bringsOf({ number, left, steps, made }: Begun, { bundles, betweens, after }: Arrived): Rollout["brings"] {
  const arrived = (step: Step): boolean => {
    if (step.between !== undefined) return betweens[step.id] === step.between;
    return step.after === undefined ? bundles[step.id] === step.text : after[step.id] === step.after;
  };
  const mayHaveBegun = ({ chain: [number, name] }: Step, index: number): boolean =>
    steps.slice(0, index).every((each) => {
      const [before, chain] = each.chain;
      return arrived(each) || (before >= number && chain !== name);
    });
  const reached = new Set(steps.filter(arrived).map(({ id }) => id));
  const brings = Object.fromEntries(
    Object.entries(left).filter(([id]) => !reached.has(id) && !(after[id] ?? "").split("; ").includes(cut(number - 1))),
  );
  for (const { id, text } of steps.filter((step, index) => mayHaveBegun(step, index) && !arrived(step)))
    brings[id] = [...new Set([...(brings[id] ?? []), text])];
  for (const id of made) if (bundles[id] === undefined) brings[id] = [];
  return brings;
}

/**
 * Whether no two roles are changed side by side in a run: while any server is to be stopped, applications move to another port,
 * or the internal network gets another length.
 */
export function isAlone({
  resized,
  replaced,
  otherLength,
  pause,
}: Pick<Change, "resized" | "replaced" | "otherLength" | "pause">): boolean {
  return resized.length + replaced.length + otherLength.length > 0 || pause?.due === true;
}

/** In the order of components/turns.ts; `sample` as in {@link bundlesOf}. */
export function begin(
  plan: Plan,
  change: Change,
  { rollout, bundles }: Pick<Deployed, "rollout" | "bundles">,
  sample: string,
): Begun {
  const left = rollout.ended ? [] : Object.entries(rollout.brings).filter(([id]) => bundles[id] !== undefined);
  const steps: Step[] = [];
  const made: string[] = [];
  for (const { planned: node } of change.kept) {
    const move = change.moves[node.id];
    if (move?.due !== true) continue;
    const text = bundle(filesBetween(plan, node, move, sample));
    steps.push({ id: node.id, between: move.words, chain: [0, "between"], text });
  }
  const texts = bundlesOf(plan, sample);
  const standing = new Set(change.kept.map(({ planned }) => planned.id));
  // A database is reached by its datacenter's load balancer, and waits for one that comes.
  const databases = inTheirOrder(plan.databases, change);
  const waits = databases.filter(({ datacenter }) => !standing.has(`lb-${datacenter}`));
  const roles: readonly (readonly PlannedServer[])[] = [
    inTheirOrder(plan.loadBalancers, change),
    [...databases.filter((each) => !waits.includes(each)), ...waits],
    plan.appServers,
  ];
  roles.forEach((nodes, index) => {
    const number = isAlone(change) ? index + 1 : 1;
    for (const { id, role } of nodes) {
      const text = texts[id]!;
      if (bundles[id] === undefined) made.push(id);
      else if (bundles[id] !== text) steps.push({ id, chain: [number, role], text });
      else if (change.moves[id]?.open === true)
        steps.push({ id, after: change.after[id]!, chain: [number, role], text });
    }
  });
  return { number: rollout.number + 1, left: Object.fromEntries(left), steps, made };
}
