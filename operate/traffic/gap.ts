/** One new connection with one request. */
export interface Attempt {
  url: string;
  /** When it was due, in milliseconds since the epoch: not when it was sent, which may be later when the client is starved. */
  at: number;
  /** How much later it was sent; this is the client's fault, never the cluster's. */
  late: number;
  /** From the sending until the answer was complete, or had failed. */
  milliseconds: number;
  ok: boolean;
  /** Why it failed, in few words: `read ECONNRESET`, `status 503`, `no answer within 800 ms`. */
  error?: string;
}

export interface Gap {
  sent: number;
  failed: number;
  /** Longest time between the starts of two successive requests that were answered, in milliseconds. */
  longest: number;
}

/**
 * A lost SYN is sent again after 1 s (RFC 6298), and with a longer timeout the request then succeeds: what took longer than
 * this met a gap, although it did not fail.
 */
export const RETRANSMITTED = 900;

export function gapOf(attempts: readonly Attempt[]): Gap {
  const answered = attempts
    .filter(({ ok }) => ok)
    .map(({ at }) => at)
    .sort((a, b) => a - b);
  let longest = 0;
  for (let index = 1; index < answered.length; index++) {
    longest = Math.max(longest, answered[index]! - answered[index - 1]!);
  }
  return { sent: attempts.length, failed: attempts.length - answered.length, longest: Math.round(longest) };
}

/** By URL, in the order in which they were first asked. */
export function gapsByUrl(attempts: readonly Attempt[]): Map<string, Gap> {
  const byUrl = new Map<string, Attempt[]>();
  for (const attempt of attempts) {
    const same = byUrl.get(attempt.url);
    if (same) same.push(attempt);
    else byUrl.set(attempt.url, [attempt]);
  }
  return new Map([...byUrl].map(([url, each]) => [url, gapOf(each)]));
}
