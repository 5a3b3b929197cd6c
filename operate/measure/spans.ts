import type { Lane, Record, Sample } from "./record";
import { SILENT } from "./record";

/** A time during which nothing changed. */
export interface Span {
  from: number;
  to: number;
}

/** What a load balancer said during a span; undefined: it was silent. */
export interface LaneSpan extends Span {
  sample: Sample | undefined;
}

/** A lane without holes, from `from` to `to`. */
export function spansOf({ samples }: Lane, from: number, to: number): LaneSpan[] {
  const spans: LaneSpan[] = [];
  const push = (begin: number, end: number, sample: Sample | undefined): void => {
    const span = { from: Math.max(begin, from), to: Math.min(end, to), sample };
    if (span.to <= span.from) return;
    const last = spans.at(-1);
    if (last && equal(last.sample, sample)) last.to = span.to;
    else spans.push(span);
  };
  push(from, samples[0]?.at ?? to, undefined);
  for (const [index, sample] of samples.entries()) {
    const next = samples[index + 1]?.at ?? to;
    // Samples come five times a second: one that is not followed ends where the machine did, as far as anybody knows.
    const end = next - sample.at > SILENT ? sample.at : next;
    push(sample.at, end, sample);
    push(end, next, undefined);
  }
  return spans;
}

/** All lanes side by side: spans during which no lane changed. */
export function sideBySide(
  record: Pick<Record, "lanes">,
  from: number,
  to: number,
): (Span & { samples: (Sample | undefined)[] })[] {
  const lanes = record.lanes.map((lane) => spansOf(lane, from, to));
  const cuts = [...new Set(lanes.flatMap((spans) => spans.flatMap((span) => [span.from, span.to])))].sort(
    (a, b) => a - b,
  );
  const next = lanes.map(() => 0);
  return cuts.slice(0, -1).map((cut, index) => ({
    from: cut,
    to: cuts[index + 1]!,
    samples: lanes.map((spans, lane) => {
      while ((spans[next[lane]!]?.to ?? Infinity) <= cut) next[lane]!++;
      return spans[next[lane]!]?.sample;
    }),
  }));
}

function equal(one: Sample | undefined, other: Sample | undefined): boolean {
  if (!one || !other) return one === other;
  return one.state === other.state && one.haproxy === other.haproxy && one.holds.join() === other.holds.join();
}
