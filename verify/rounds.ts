import { leftAlone, refusal } from "./repair";
import { exitCode } from "./report";
import type { Verdict } from "./verify";

/** A verdict, and how long it took. */
export interface Timed {
  verdict: Verdict;
  seconds: number;
}

/** What repairs are made with. */
export interface Hands {
  look: () => Promise<Timed>;
  repair: (verdict: Verdict) => Promise<void>;
  /** Told why something was not repaired, and what failed. */
  say: (text: string) => void;
}

/** A machine that could not be reached, for a rule that was missing, shows its own drift only when that is mended. */
const ROUNDS = 3;

/** A repaired cluster comes to rest: health checks rise, a database catches up. */
const SETTLE_SECONDS = 30;

export function repairable({ verdict }: Timed): boolean {
  return verdict.findings.some((finding) => finding.repair !== undefined);
}

/** Repairs until nothing is left that can be, or one fails; with what is left. */
export async function mended(
  found: Timed,
  { look, repair, say }: Hands,
  settleSeconds = SETTLE_SECONDS,
): Promise<{ last: Timed; failed: boolean }> {
  let last = found;
  const left = leftAlone(found.verdict);
  if (left !== undefined) say(left);
  for (let round = 0; round < ROUNDS && repairable(last); round++) {
    const refused = refusal(last.verdict.findings);
    if (refused !== undefined) {
      say(refused);
      return { last, failed: true };
    }
    try {
      await repair(last.verdict);
    } catch (error) {
      say(error instanceof Error ? error.message : String(error));
      // The next look may find all well: a push may fail after it has mended what was wrong.
      return { last: await look(), failed: true };
    }
    last = await settled(look, settleSeconds);
  }
  return { last, failed: leftAlone(last.verdict) !== undefined };
}

async function settled(look: Hands["look"], seconds: number): Promise<Timed> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const left = await look();
    if (exitCode(left.verdict.findings) !== 1 || Date.now() >= end) return left;
  }
}
