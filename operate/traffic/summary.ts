import { type Attempt, type Gap, gapOf, RETRANSMITTED } from "./gap";

/** What a client saw of one target, or of several together. Times in milliseconds. */
export interface Summary extends Gap {
  /** Of all that were answered. */
  slowest: number;
  /** Answered, but late enough for TCP to have sent a packet again: not failed, yet they met a gap. */
  retransmitted: number;
}

export function summaryOf(attempts: readonly Attempt[]): Summary {
  const answered = attempts.filter(({ ok }) => ok).map(({ milliseconds }) => milliseconds);
  return {
    ...gapOf(attempts),
    slowest: Math.round(answered.reduce((worst, each) => Math.max(worst, each), 0)),
    retransmitted: answered.filter((each) => each > RETRANSMITTED).length,
  };
}

/** Failures with the same words at the same URL within a second of each other. */
export interface Failure {
  url: string;
  error: string;
  count: number;
  /** When the first was due, in milliseconds since the epoch. */
  first: number;
  last: number;
}

/** The failures among attempts, which are in the order in which they were due. */
export function failuresOf(attempts: readonly Attempt[]): Failure[] {
  const failures: Failure[] = [];
  for (const { url, at, ok, error = "" } of attempts) {
    if (ok) continue;
    const same = failures.findLast((each) => each.url === url && each.error === error && at - each.last < 1000);
    if (same === undefined) failures.push({ url, error, count: 1, first: at, last: at });
    else Object.assign(same, { count: same.count + 1, last: at });
  }
  return failures;
}
