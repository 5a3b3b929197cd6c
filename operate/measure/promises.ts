import { basePriority } from "../../plan/vrrp";
import type { Figures } from "./judge";
import type { Trial } from "./conduct";

export interface Pledge {
  text: string;
  held: boolean;
  /** It is about how quick something is, which depends on what else the machines have to do. */
  speed?: true;
}

/** Milliseconds: some samples of who holds what. */
const INSTANT = 500;
/** Milliseconds within which everything is as before once a fault is put back; a machine that was off has to boot. */
const RECOVERY = 60_000;

/** When the last backup takes over at the latest, in milliseconds: 3 × advert interval + skew (RFC 5798 section 6.1). */
export function protocolLimit(advertInterval: number): number {
  const lowest = Math.min(...[1, 2, 3].map(basePriority));
  return 1000 * (3 * advertInterval + ((256 - lowest) / 256) * advertInterval);
}

/**
 * What the cluster promises for a kind of fault, and whether it held.
 *
 * @param advertInterval seconds
 * @param interval milliseconds between two requests to one address: a gap is known no better than this
 */
export function promises(
  { record, after }: Trial,
  figures: Figures,
  advertInterval: number,
  interval: number,
): Pledge[] {
  const families = [figures.ipv4, figures.ipv6].filter((each) => each !== undefined);
  const list: Pledge[] = [
    {
      text: "In the end one load balancer has all VIPs, and the others are ready",
      held: after.problems.length === 0,
    },
    { text: "IPv4 and IPv6 are on the same machine throughout", held: figures.apart <= INSTANT },
    {
      text: `Everything is as before within ${RECOVERY / 1000} s of putting it back`,
      held: figures.heal <= RECOVERY,
      speed: true,
    },
  ];
  if (record.fault.kind === "planned")
    list.unshift({ text: "No request fails", held: families.every(({ failed }) => failed === 0) });
  if (record.fault.kind === "crash") {
    const limit = protocolLimit(advertInterval);
    const longest = Math.max(...families.map((each) => each.longest));
    list.unshift({
      text: `No gap is longer than VRRP takes to notice, and 10 % (${((limit * 1.1) / 1000).toFixed(2)} s)`,
      held: longest <= limit * 1.1 + 2 * interval + record.lag,
      speed: true,
    });
  }
  return list;
}
