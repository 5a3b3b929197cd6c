import type { Attempt } from "../traffic/gap";
import type { Fault, Moments } from "../faults/fault";

/** Everything seen of one fault, as plain data: who judges it needs nothing else. Times are milliseconds since the epoch. */
export interface Record extends Moments {
  fault: Pick<Fault, "name" | "does" | "kind">;
  /** Who was active before. */
  active: string;
  /** The machines that the fault met. */
  hit: string[];
  vips: Vip[];
  /** Requests from outside. */
  attempts: Attempt[];
  /** Echo requests from an internal server; `url` is the address. */
  pings: Attempt[];
  /** One for each load balancer, in the order of their names. */
  lanes: Lane[];
  /** Until when it was watched. */
  ended: number;
  /** The most that the client was behind its clock; a gap is known no better than this. */
  lag: number;
}

export interface Vip {
  address: string;
  kind: "ipv4" | "ipv6" | "internal";
}

export interface Lane {
  machine: string;
  samples: Sample[];
}

/** What a load balancer said of itself; true until the next one, or {@link SILENT} later. */
export interface Sample {
  at: number;
  /** keepalived's: MASTER, BACKUP, FAULT, STOP; "-" when it runs without having decided yet, or not at all. */
  state: string;
  /** haproxy answered. */
  haproxy: boolean;
  /** VIPs on its interfaces. */
  holds: string[];
}

/** Who says nothing for this long is off, frozen or starting; samples come five times a second. */
export const SILENT = 1500;

/** The family of a URL whose host is an address. */
export function familyOf(url: string): "ipv4" | "ipv6" {
  return new URL(url).hostname.startsWith("[") ? "ipv6" : "ipv4";
}

/** Lines of holders.pl; `offset` is how much the machine's clock is ahead of ours. */
export function readSamples(text: string, offset: number): Sample[] {
  return lines(text).flatMap(([at, state, haproxy, ...holds]) =>
    state === undefined ? [] : [{ at: Number(at) - offset, state, haproxy: haproxy === "1", holds }],
  );
}

/** Lines of pings.pl. */
export function readPings(text: string, offset: number): Attempt[] {
  return lines(text).flatMap(([at, url, took]) =>
    took === undefined
      ? []
      : [
          {
            url: url!,
            at: Number(at) - offset,
            late: 0,
            milliseconds: took === "-" ? 0 : Number(took),
            ok: took !== "-",
          },
        ],
  );
}

function lines(text: string): string[][] {
  // The last one may have been cut off with the machine's power.
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  return whole
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split(" "));
}
