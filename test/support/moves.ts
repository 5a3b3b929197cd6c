import assert from "node:assert/strict";
import type { Attempt } from "../../operate/traffic/gap";
import { failuresOf } from "../../operate/traffic/summary";

/*
 * On load balancers that somebody else built there is no relay (docs/fail-over.md): what is in flight in the moment in which a VIP
 * moves is reset. Nothing else may be.
 */

/** Prints when a host became master, by its own journal. */
export const MASTERS =
  "journalctl --unit=keepalived --output=short-unix --no-pager | grep '(EXTERN) Entering MASTER STATE' || :";

/** Milliseconds since the epoch, of what {@link MASTERS} prints. */
export function movesIn(journals: readonly string[]): number[] {
  return journals.flatMap((text) => [...text.matchAll(/^[\d.]+/gm)].map(([seconds]) => Number(seconds) * 1000));
}

/** Milliseconds between a host's word that it is master and the last client's packet to the one before. */
const SETTLES = 200;

/** The most that some five moves cut of 20 short requests a second; most runs have none. */
const MOST = 2;

/** Fails if a request failed for another reason than a move of the VIP. @returns how many did for that */
export function assertOnlyCut(attempts: readonly Attempt[], moves: Iterable<number>): number {
  const during = [...moves].filter((moment) => moment > attempts[0]!.at);
  assert.notEqual(during.length, 0, "the VIP has moved");
  const cut = attempts.filter((attempt) => wasCut(attempt, during));
  assert.deepEqual(failuresOf(attempts.filter((attempt) => !cut.includes(attempt))), []);
  assert.ok(cut.length <= MOST, JSON.stringify(failuresOf(cut)));
  return cut.length;
}

function wasCut({ at, late, milliseconds, error = "" }: Attempt, moves: readonly number[]): boolean {
  const began = at + late;
  return (
    /(^| )(ECONNRESET|EPIPE)$/.test(error) &&
    moves.some((moment) => moment > began - SETTLES && moment < began + milliseconds + SETTLES)
  );
}
