import { Encrypted } from "../encrypted";
import type { Problem } from "../problems";
import { isGiven, type Draft } from "../shape/draft";
import { setSecret } from "../shape/issues";
import { listNames, nearest, quote } from "../shape/words";

const TRANSPORTS = ["multicast", "unicast"];

export function* checkVrrp(draft: Draft): Generator<Problem> {
  const { vrrp } = draft;
  if (vrrp?.advertInterval !== undefined) yield* checkInterval(vrrp.advertInterval);
  yield* checkRouterIds(draft);
  yield* checkVersion(vrrp);
  yield* checkPassword(vrrp);
  if (vrrp?.transport !== undefined && !TRANSPORTS.includes(vrrp.transport)) {
    const meant = nearest(vrrp.transport, TRANSPORTS);
    yield {
      path: "vrrp.transport",
      cause: `${quote(vrrp.transport)} is no way for adverts to travel; ${listNames(TRANSPORTS)} are`,
      mend: meant === undefined ? "write unicast, or leave the line out" : `did you mean \`${meant}\`?`,
    };
  }
}

type RouterIds = Record<"ipv4" | "ipv6" | "internal", number>;

/** Those that are not written follow the first. */
export function routerIdsOf(first: number, written: { [Instance in keyof RouterIds]?: number | undefined }): RouterIds {
  const { ipv4 = first, ipv6 = first + 1, internal = first + 2 } = written;
  return { ipv4, ipv6, internal };
}

/** An id belongs to one network: on hosts that exist, the internal one may have an id that an external one has too. */
function* checkRouterIds({ vrrp, machines }: Draft): Generator<Problem> {
  const owners = new Map<number, string>();
  const external = ["ipv4", "ipv6"] as const;
  const together = machines?.source === "existing" ? external : ([...external, "internal"] as const);
  const { firstRouterId: first, routerIds: written } = vrrp ?? {};
  for (const instance of together) {
    const follows = first !== undefined && !isGiven(written, instance);
    const id = follows ? routerIdsOf(first, {})[instance] : written?.[instance];
    if (id === undefined) continue;
    const owner = owners.get(id);
    if (owner !== undefined) {
      yield {
        path: `vrrp.routerIds.${instance}`,
        cause: `${id} is the router id of \`${owner}\` too`,
        mend: "give each of the instances an id of its own, which no other VRRP router on the network has",
      };
    }
    owners.set(id, owner ?? instance);
  }
}

type DraftVrrp = Draft["vrrp"];

function* checkVersion(vrrp: DraftVrrp): Generator<Problem> {
  const interval = vrrp?.advertInterval;
  if (vrrp?.version === 2 && interval !== undefined && !Number.isInteger(interval)) {
    yield {
      path: "vrrp.version",
      cause: `VRRP version 2 counts in whole seconds, but the interval is ${interval} s`,
      mend: "write `version: 3`, or leave the line out",
    };
  }
}

/** RFC 2338 section 5.3.6: keepalived cuts a longer one off, and a hand-made file may rely on that. */
const LONGEST_PASSWORD = 8;

function* checkPassword(vrrp: DraftVrrp): Generator<Problem> {
  if (!vrrp || !isGiven(vrrp, "password")) return;
  const path = "vrrp.password";
  const fraction = vrrp.advertInterval !== undefined && !Number.isInteger(vrrp.advertInterval);
  if (vrrp.authentication === false || vrrp.version === 3 || fraction) {
    yield {
      path,
      cause: "is set, but adverts carry none: version 3 has no authentication, nor has `authentication: false`",
      mend: "remove it",
    };
  }
  const { password } = vrrp;
  if (password === undefined || password instanceof Encrypted) return;
  const text = password.trim();
  if (text.length > LONGEST_PASSWORD) {
    yield {
      path,
      cause: `has ${text.length} characters, but VRRP sends ${LONGEST_PASSWORD}: keepalived cuts the rest off`,
      mend: `give the first ${LONGEST_PASSWORD} characters`,
    };
  } else if (!/^[A-Za-z0-9_.,:;+*/=@%^~-]+$/.test(text)) {
    yield {
      path,
      cause: "is empty, or has a character that keepalived's configuration gives a meaning to",
      mend: setSecret(["vrrp", "password"]),
    };
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
