import type { Problem } from "../problems";
import type { Draft } from "../shape/draft";

export function* checkVrrp({ vrrp }: Draft): Generator<Problem> {
  if (vrrp?.advertInterval !== undefined) yield* checkInterval(vrrp.advertInterval);
  const owners = new Map<number, string>();
  for (const instance of ["ipv4", "ipv6", "internal"] as const) {
    const id = vrrp?.routerIds?.[instance];
    if (id === undefined) continue;
    const owner = owners.get(id);
    if (owner !== undefined) {
      yield {
        path: `vrrp.routerIds.${instance}`,
        cause: `${id} is the router id of \`${owner}\` too`,
        mend: "give each of the three instances an id of its own, which no other VRRP router on the network has",
      };
    }
    owners.set(id, owner ?? instance);
  }
}

function* checkInterval(seconds: number): Generator<Problem> {
  const path = "vrrp.advertInterval";
  if (seconds < 0.1 || seconds > 10) {
    yield {
      path,
      cause: `${seconds} s is outside 0.1 s to 10 s`,
      mend: "write 1, or a fraction such as 0.2 for a faster failover",
    };
  } else if (seconds >= 1 && !Number.isInteger(seconds)) {
    yield {
      path,
      cause: `${seconds} s is neither a fraction of a second nor whole seconds`,
      mend: `write whole seconds, for example ${Math.round(seconds)}, or less than 1`,
    };
  } else if (Math.abs(seconds * 100 - Math.round(seconds * 100)) > 1e-9) {
    // VRRPv3 sends the interval in hundredths of a second: RFC 5798 section 5.2.7.
    yield {
      path,
      cause: `${seconds} s is not a whole number of hundredths of a second`,
      mend: `write ${Math.round(seconds * 100) / 100}`,
    };
  }
}
