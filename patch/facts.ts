/** What `patch.sh ROLE look` says of one server. */
export interface Facts {
  /** Another one after every boot. */
  boot: string;
  updates: Update[];
  /** What stays behind, and why. */
  held: Held[];
  /** Packages that an earlier update left half-way. */
  half: string[];
  /** The role's own daemons that run on files that were replaced; they restart. */
  stale: string[];
  /** Why it has to reboot, in words. */
  reboot: string[];
}

export interface Update {
  name: string;
  /** Absent of a package that is new, such as the next kernel. */
  from?: string;
  to: string;
  security: boolean;
}

export interface Held {
  name: string;
  installed: string;
  candidate: string;
  why: string;
}

/** When a server is rebooted. */
export const REBOOTS = ["needed", "always", "never"] as const;
export type Reboot = (typeof REBOOTS)[number];

/** @throws when the answer was cut. */
export function parseFacts(text: string): Facts {
  const lines = text.trim().split("\n");
  if (lines.at(-1) !== "end") throw new Error("the answer was cut off");
  const of = (key: string): string[] =>
    lines.flatMap((line) => (line.startsWith(`${key} `) ? [line.slice(key.length + 1)] : []));
  const words = (key: string): string[][] => of(key).map((line) => line.split(" "));
  return {
    boot: of("boot")[0] ?? "",
    updates: words("update").map(([name, from, to, origin]) => ({
      name: name!,
      ...(from === "-" ? {} : { from: from! }),
      to: to!,
      security: origin === "security",
    })),
    held: words("held").map(([name, installed, candidate, ...why]) => ({
      name: name!,
      installed: installed!,
      candidate: candidate!,
      why: why.join(" "),
    })),
    half: words("half").map(([name]) => name!),
    stale: [...new Set(words("stale").flatMap(([whose, program]) => (whose === "own" ? [program!] : [])))],
    reboot: of("reboot"),
  };
}

/** Whether anything is done to it at all; otherwise it is left alone. */
export function hasWork({ updates, half, stale, reboot }: Facts, when: Reboot): boolean {
  if (updates.length > 0 || half.length > 0 || stale.length > 0) return true;
  return when === "always" || (when === "needed" && reboot.length > 0);
}
