import type { Advert } from "../plan/transition";
import type { SyncGroup } from "../plan/vrrp";

/** What load balancers hear of each other, by instance. */
export type Adverts = Record<string, Heard>;

interface Heard extends Advert {
  /** Version, and of version 2 what else must be the same on both sides: with another one an advert is dropped. */
  speech: string;
  /** Who speaks and is spoken to, which counts by unicast: where all have other addresses, nobody hears whom it doesn't know yet. */
  members: string[];
}

/** Of a keepalived.conf as it was pushed. */
export function advertsIn(bundle: string): Adverts {
  return Object.fromEntries(
    [...bundle.matchAll(/^vrrp_instance (\S+) \{\n([\s\S]*?)^\}/gm)].map(([, name, text]) => {
      const said = (key: string): string => new RegExp(`^ +${key} (\\S+)`, "m").exec(text!)?.[1] ?? "";
      const addresses = /^ +virtual_ipaddress \{([^}]*)\}/m.exec(text!)?.[1] ?? "";
      return [
        name!,
        {
          routerId: Number(said("virtual_router_id")),
          addresses: [...addresses.matchAll(/^\s*([^\s/]+)\//gm)].map(([, address]) => address!),
          transport: text!.includes(" unicast_peer {") ? ("unicast" as const) : ("multicast" as const),
          members: members(said("(?:uni|m)cast_src_ip"), words(/^ +unicast_peer \{([^}]*)\}/m.exec(text!)?.[1] ?? "")),
          speech: speech(Number(said("version")), Number(said("advert_int")), / include /.test(text!)),
        },
      ];
    }),
  );
}

export function advertsOf({ instances }: SyncGroup): Adverts {
  return Object.fromEntries(
    instances.map((each) => [
      each.name,
      {
        routerId: each.routerId,
        addresses: [each.virtualAddress, ...each.furtherAddresses].map(({ address }) => address),
        transport: each.transport,
        members: members(each.sourceIp, each.peers),
        speech: speech(each.version, each.advertInterval, each.authentication),
      },
    ]),
  );
}

/** What the time between may say otherwise than the plan. */
export function advertOf({ routerId, addresses, transport }: Advert): Advert {
  return { routerId, addresses, transport };
}

function members(source: string, peers: readonly string[]): string[] {
  return [source, ...peers].sort();
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((each) => each !== "");
}

function speech(version: number, interval: number, password: boolean): string {
  return version === 2 ? `2, every ${interval} s${password ? ", with a password" : ""}` : String(version);
}

/**
 * What load balancers must say meanwhile, so that they can be changed one after the other: a backup stays one while at least
 * one instance of its sync group hears the master, and hears it only by the same router id and addresses.
 *
 * @param found what any of them may say now
 * @returns `wanted` itself where they can be brought there at once; nothing where there is no such way
 */
export function meanwhile(found: readonly Adverts[], wanted: Adverts): Adverts | undefined {
  const heardBy =
    (each: Adverts): ((other: Adverts) => boolean) =>
    (other) =>
      Object.entries(each).some(([name, heard]) => other[name] !== undefined && alike(heard, other[name]));
  return candidates(found, wanted).find((each) => [...found, wanted].every(heardBy(each)));
}

function alike({ members: ours, ...said }: Heard, { members: theirs, ...other }: Heard): boolean {
  const known = said.transport === "multicast" || ours.some((each) => theirs.includes(each));
  return known && JSON.stringify(said) === JSON.stringify(other);
}

/** Of each instance what is wanted or what is said now; those first that are nearest to what is wanted. */
function candidates(found: readonly Adverts[], wanted: Adverts): Adverts[] {
  let all: { adverts: Adverts; others: number }[] = [{ adverts: {}, others: 0 }];
  for (const [name, want] of Object.entries(wanted)) {
    const said = found.flatMap((each) => (each[name] ? [{ ...want, ...advertOf(each[name]) }] : []));
    const choices = [...new Map([want, ...said].map((each) => [JSON.stringify(each), each])).values()];
    all = all.flatMap(({ adverts, others }) =>
      choices.map((each, index) => ({ adverts: { ...adverts, [name]: each }, others: others + (index > 0 ? 1 : 0) })),
    );
  }
  return all.sort((a, b) => a.others - b.others).map(({ adverts }) => adverts);
}
