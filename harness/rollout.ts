import type { Stack } from "../operate/stack";
import { until } from "../operate/poll";
import type { Attempt } from "../operate/traffic/gap";
import { type Target, Traffic } from "../operate/traffic/traffic";
import type { Cluster, Family } from "./cluster";
import { clientCommand } from "../operate/lab/lab";
import { type Mastership, mastershipSince } from "./mastership";

/** What clients and journals saw of one `pulumi up`, or of another change. */
export interface Rollout {
  attempts: Attempt[];
  mastership: Mastership;
  /** When it was started, in milliseconds since the epoch. */
  begin: number;
  /** How long it took. */
  seconds: number;
  /** What it printed. */
  output: string;
  /** The most that the client was behind its clock, in milliseconds. */
  lag: number;
}

export interface RolloutOptions {
  /** Families that the cluster serves before the change; only they are asked. */
  families: readonly Family[];
  /** New connections a second to each target. */
  perSecond: number;
  /** Certificates that the client trusts. */
  caFile: string;
  /** What is asked for; the application's cheapest unless given. */
  path?: string;
  /** What every answer has to contain; the name of an application server unless given. */
  contains?: (family: Family) => string;
}

/** The application through haproxy, over HTTP and HTTPS, by the first VIP. */
export function targetsOf(
  cluster: Cluster,
  { families, caFile, path = "/healthz", contains: says }: Omit<RolloutOptions, "perSecond">,
): Target[] {
  return families.flatMap((family) => {
    const contains = says?.(family) ?? `"server":"${cluster.facts.project}-app-`;
    const http = cluster.url(family, path);
    return [
      { url: http, contains },
      { url: http.replace("http:", "https:"), contains, caFile, servername: "www.example.com" },
    ];
  });
}

/** Runs `up` while clients never stop asking for what existed before it, and two seconds longer. */
export function rollOut(cluster: Cluster, stack: Stack, options: RolloutOptions): Promise<Rollout> {
  return underTraffic(cluster, options, () => stack.up());
}

/** The same of any change. */
export async function underTraffic(
  cluster: Cluster,
  options: RolloutOptions,
  change: () => Promise<string>,
): Promise<Rollout> {
  const master = await cluster.master(cluster.addresses(options.families));
  const traffic = Traffic.start(targetsOf(cluster, options), {
    perSecond: options.perSecond,
    timeout: TIMEOUT,
    via: clientCommand,
  });
  const steady = (): Promise<unknown> => {
    const count = 2 * options.perSecond;
    const sent = traffic.attempts.length + count * traffic.targets.length;
    const fits = (): boolean => traffic.attempts.length >= sent && traffic.steady(count);
    return until("two seconds without a failure", () => Promise.resolve(fits()), Boolean, { seconds: 60 });
  };
  try {
    await steady();
    const begin = Date.now();
    const output = await change();
    const seconds = (Date.now() - begin) / 1000;
    await steady();
    const mastership = await mastershipSince(cluster, begin, master);
    return { attempts: await traffic.stop(), mastership, begin, seconds, output, lag: traffic.lag };
  } finally {
    await traffic.stop();
  }
}

/** Milliseconds; long enough for a request whose SYN was lost twice (1 + 2 s), which then is slow and not failed. */
const TIMEOUT = 5000;
