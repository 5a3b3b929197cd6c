import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Fleet } from "../fleet";
import type { Attempt } from "../traffic/gap";
import { type Lane, readPings, readSamples } from "./record";

/** Files survive a cut connection, and those in /var/tmp a lost power too. */
const HOME = "/var/tmp/ha-cluster-watch";
const UNIT = "ha-cluster-watch";
/** Milliseconds between samples, and between echo requests. */
const SAMPLES_EVERY = 40;
const PINGS_EVERY = 20;
const PING_TIMEOUT = 800;

export interface WatchOptions {
  /** The internal server that sends the echo requests; none are sent unless given. */
  inside: string | undefined;
  /** IPv4 addresses that it asks. */
  pings: readonly string[];
  /** After which the machines stop by themselves. */
  seconds: number;
}

/**
 * Looks at a cluster from inside while something happens to it: each load balancer notes what it holds, and an internal
 * server asks through the gateway. They write to files of their own, which are fetched at the end.
 */
export class Watch {
  private offsets = new Map<string, number>();

  private constructor(
    private readonly fleet: Fleet,
    private readonly inside: string | undefined,
  ) {}

  static async start(fleet: Fleet, { inside, pings, seconds }: WatchOptions): Promise<Watch> {
    const watch = new Watch(fleet, inside);
    try {
      await Promise.all([
        ...fleet.names("load-balancer").map((name) => watch.startOn(name, "holders.pl", [SAMPLES_EVERY], seconds)),
        inside === undefined || watch.startOn(inside, "pings.pl", [PINGS_EVERY, PING_TIMEOUT, ...pings], seconds),
      ]);
    } catch (error) {
      await watch.stop().catch(() => undefined);
      throw error;
    }
    return watch;
  }

  /** For a machine whose power was lost; does nothing where it still runs. */
  async again(name: string, seconds: number): Promise<void> {
    const { code } = await this.fleet.run(name, `systemctl is-active --quiet ${UNIT}`);
    if (code !== 0) await this.startOn(name, "holders.pl", [SAMPLES_EVERY], seconds, true);
  }

  /** Ends it everywhere, and gives what was seen. */
  async stop(): Promise<{ lanes: Lane[]; pings: Attempt[] }> {
    const balancers = this.fleet.names("load-balancer");
    const [texts, pings] = await Promise.all([
      Promise.all(balancers.map((name) => this.fetch(name))),
      this.inside === undefined ? "" : this.fetch(this.inside),
    ]);
    return {
      lanes: balancers.map((machine, index) => ({
        machine,
        samples: readSamples(texts[index]!, this.offsets.get(machine) ?? 0),
      })),
      pings: readPings(pings, this.offsets.get(this.inside ?? "") ?? 0),
    };
  }

  private async startOn(
    name: string,
    probe: string,
    args: readonly (string | number)[],
    seconds: number,
    keep = false,
  ): Promise<void> {
    const script = `set -eu
systemctl stop ${UNIT} 2>/dev/null || :
systemctl reset-failed ${UNIT} 2>/dev/null || :
${keep ? "" : `rm -rf ${HOME}`}
mkdir -p -m 0700 ${HOME}
cat >${HOME}/probe.pl
systemd-run --quiet --unit=${UNIT} perl ${HOME}/probe.pl ${HOME}/seen ${seconds} ${args.join(" ")}`;
    await this.fleet.must(name, script, { input: readFileSync(join(__dirname, "probes", probe), "utf8"), seconds: 20 });
    this.offsets.set(name, await this.offset(name));
  }

  private async fetch(name: string): Promise<string> {
    const script = `systemctl stop ${UNIT} 2>/dev/null || :
cat ${HOME}/seen
rm -rf ${HOME}`;
    return this.fleet.must(name, script, { seconds: 30 });
  }

  /** How much a machine's clock is ahead of ours, in milliseconds; the quickest of three answers knows best. */
  private async offset(name: string): Promise<number> {
    const asked: { took: number; offset: number }[] = [];
    for (let round = 0; round < 3; round++) {
      const sent = Date.now();
      const theirs = Number(await this.fleet.must(name, "date +%s%3N"));
      const took = Date.now() - sent;
      asked.push({ took, offset: theirs - (sent + took / 2) });
    }
    const best = asked.reduce((one, other) => (other.took < one.took ? other : one));
    // What the connection itself may account for is no sign of a wrong clock.
    return Math.abs(best.offset) <= best.took / 2 ? 0 : best.offset;
  }
}
