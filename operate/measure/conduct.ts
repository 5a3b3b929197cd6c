import type { Cloud } from "../faults/cloud";
import { datacenterOf, type Fault, type Heal, type Moments } from "../faults/fault";
import type { Fleet } from "../fleet";
import { until } from "../poll";
import { type Target, Traffic, type TrafficOptions } from "../traffic/traffic";
import { type Health, healthOf } from "./health";
import { type Lane, type Record, SILENT, type Vip } from "./record";
import { Watch } from "./watch";

/** A cluster, and where it is looked at from. */
export interface Setting {
  fleet: Fleet;
  cloud?: Cloud;
  vips: Vip[];
  targets: Target[];
  /** How to run a command where clients are; here unless given. */
  via?: TrafficOptions["via"];
  /** New connections a second to each target; 50 unless given. Gaps are known no better than the time between two. */
  perSecond?: number;
  /** Addresses that an internal server asks for an echo: one outside, one of the gateway. */
  pings: string[];
  /** Seconds for which a fault lasts; 10 unless given. */
  hold?: number;
  /** Told what is being done, for people who wait. */
  say?: (text: string) => void;
  /** Ends a fault before its time; everything is put back all the same. */
  signal?: AbortSignal;
}

export interface Trial {
  record: Record;
  /** How the cluster stood in the end. */
  after: Health;
}

/** The cluster is not fit for a fault: nothing was done. */
export class Sick extends Error {
  constructor(readonly problems: string[]) {
    super(`the cluster is not healthy, so nothing was done:\n${problems.map((each) => `  ${each}`).join("\n")}`);
  }
}

/** Seconds that a cluster gets to be healthy again, and for which it is watched from then on. */
const RECOVERY = 90;
const AFTERWARDS = 5;

/** Makes one fault, watches, puts it back, and looks whether the cluster is as it was. */
export async function conduct(setting: Setting, fault: Fault): Promise<Trial> {
  const { fleet, cloud, vips, targets, say = () => undefined, hold = 10 } = setting;
  const { active, problems } = await healthOf(fleet, vips);
  if (active === undefined || problems.length > 0) throw new Sick(problems);
  const field = { fleet, active, ...(cloud === undefined ? {} : { cloud }) };
  const hit = fault.hits(field);
  const seconds = hold + RECOVERY + 120;
  const watch = await Watch.start(fleet, { inside: insideOf(fleet, hit), pings: setting.pings, seconds });
  const traffic = Traffic.start(targets, {
    perSecond: setting.perSecond ?? 50,
    ...(setting.via ? { via: setting.via } : {}),
  });
  try {
    await until(
      "every address to answer for a second",
      () => Promise.resolve(lastErrors(traffic)),
      () => traffic.steady(setting.perSecond ?? 50),
      { seconds: 30 },
    );
    say(`${fault.name}: ${fault.does} (${active})`);
    const moments = await during(fault, field, hold, setting.signal, say);
    const after = await recovery(setting, watch, active, seconds);
    const attempts = await traffic.stop();
    const { lanes, pings } = await watch.stop();
    const { name, does, kind } = fault;
    const ended = Date.now();
    const record = { fault: { name, does, kind }, active, hit, vips, attempts, pings, lanes, ended, lag: traffic.lag };
    // What the cloud was asked for happens a while later: when, the machine's last word tells.
    const began = (fault.needs === "cloud" && lastWord(lanes, active, moments)) || moments.began;
    return { record: { ...record, began, healed: moments.healed }, after };
  } catch (error) {
    await traffic.stop().catch(() => undefined);
    await watch.stop().catch(() => undefined);
    const { problems: left } = await healthy(fleet, vips);
    say(left.length === 0 ? "the cluster is healthy" : `the cluster is not as before:\n${left.join("\n")}`);
    throw error;
  }
}

/** When a machine was last heard of before it fell silent during a fault. */
function lastWord(lanes: readonly Lane[], machine: string, { began, healed }: Moments): number | undefined {
  const { samples } = lanes.find((lane) => lane.machine === machine)!;
  return samples.findLast(
    ({ at }, index) => at >= began && at < healed && (samples[index + 1]?.at ?? Infinity) - at > SILENT,
  )?.at;
}

/** Holds the fault for its time, or until interrupted; it is put back in any case. */
async function during(
  fault: Fault,
  field: Parameters<Fault["inject"]>[0],
  hold: number,
  signal: AbortSignal | undefined,
  say: (text: string) => void,
): Promise<Moments> {
  signal?.throwIfAborted();
  const heal: Heal = await fault.inject(field, hold);
  try {
    await pause(hold + 2.5, signal);
  } finally {
    say("putting it back");
    await heal();
  }
  return heal();
}

async function recovery({ fleet, vips, say }: Setting, watch: Watch, active: string, seconds: number): Promise<Health> {
  say?.("waiting until everything is as before");
  await until(
    `${active} to be reached again`,
    () => fleet.run(active, "true", { seconds: 10 }),
    ({ code }) => code === 0,
    { seconds: RECOVERY },
  );
  await watch.again(active, seconds);
  const last = await healthy(fleet, vips);
  // Whatever takes VIPs away again, or leaves a neighbour with a stale entry, takes some seconds to show.
  await pause(AFTERWARDS);
  return last.problems.length > 0 ? last : healthOf(fleet, vips);
}

/** Waits until the cluster is healthy; how it stood in the end, if it did not become so. */
async function healthy(fleet: Fleet, vips: readonly Vip[]): Promise<Health> {
  let last: Health = { problems: [] };
  await until(
    "the cluster to be healthy",
    async () => (last = await healthOf(fleet, vips)),
    ({ problems }) => problems.length === 0,
    { seconds: RECOVERY, every: 500 },
  ).catch(() => undefined);
  return last;
}

/** An internal server that the fault leaves alone, and so does the load balancer that it is reached by. */
function insideOf(fleet: Fleet, hit: readonly string[]): string | undefined {
  const datacenters = new Set(hit.map((name) => datacenterOf(fleet, name)));
  return [...fleet.names("app-server"), ...fleet.names("database")].find(
    (name) => !datacenters.has(datacenterOf(fleet, name)),
  );
}

function lastErrors(traffic: Traffic): string[] {
  const failed = traffic.attempts.slice(-200).filter(({ ok }) => !ok);
  return [...new Set(failed.map(({ url, error }) => `${url}: ${error ?? "failed"}`))];
}

function pause(seconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    const stop = (): void => {
      clearTimeout(timer);
      reject(new Error("interrupted; the fault was put back"));
    };
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop);
  });
}
