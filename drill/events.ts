import type { Record, Sample } from "../operate/measure/record";
import { spansOf } from "../operate/measure/spans";
import { duration } from "./markup";

export interface Event {
  /** Milliseconds since the epoch. */
  at: number;
  /** Relative to the fault, e.g. `+3.08 s`. */
  when: string;
  what: string;
}

/** What happened, in order: the fault, the heal, and how each load balancer changed. */
export function events(record: Record): Event[] {
  const found: Omit<Event, "when">[] = [
    { at: record.began, what: `fault: ${record.fault.does}` },
    { at: record.healed, what: "the fault is put back" },
  ];
  for (const lane of record.lanes) {
    const spans = spansOf(lane, record.began - 2500, record.ended);
    for (const [index, { from, sample }] of spans.entries()) {
      if (index === 0) continue;
      const said = sample ? changes(sample, spans[index - 1]!.sample) : ["falls silent"];
      found.push(...said.map((what) => ({ at: from, what: `${lane.machine} ${what}` })));
    }
  }
  return found.sort((a, b) => a.at - b.at).map((event) => ({ ...event, when: relative(event.at - record.began) }));
}

function changes(now: Sample, before: Sample | undefined): string[] {
  const said: string[] = [];
  if (!before) said.push(`can be seen again, as ${stateName(now.state)}`);
  else if (before.state !== now.state) said.push(`becomes ${stateName(now.state)}`);
  const [had, has] = [before?.holds ?? [], now.holds];
  const [gained, lost] = [has.filter((each) => !had.includes(each)), had.filter((each) => !has.includes(each))];
  if (gained.length > 0) said.push(`gets ${gained.join(", ")}`);
  if (lost.length > 0) said.push(`gives up ${lost.join(", ")}`);
  if (before && before.haproxy !== now.haproxy)
    said.push(now.haproxy ? "has haproxy answering again" : "has haproxy not answering");
  return said;
}

/** The whole in one sentence. */
export function summary(record: Record): string {
  const failed = record.attempts.filter(({ ok }) => !ok).length;
  return `${record.attempts.length} requests, ${failed} of them failed; the fault lasted ${duration(record.healed - record.began)}`;
}

function relative(milliseconds: number): string {
  return `${milliseconds < 0 ? "−" : "+"}${(Math.abs(milliseconds) / 1000).toFixed(2)} s`;
}

function stateName(state: string): string {
  return state === "-" ? "undecided" : state;
}
