import { distance } from "fastest-levenshtein";
import { Encrypted } from "../encrypted";

export type PathPart = string | number;

/** The way `pulumi config set --path` writes a key: `external.vipRanges[1]`, `vips["a.b"].ipv4`. */
export function pathText(parts: readonly PathPart[]): string {
  return parts.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    if (!/^[A-Za-z0-9_-]+$/.test(part)) return `${text}[${quote(part)}]`;
    return text === "" ? part : `${text}.${part}`;
  }, "");
}

const LONGEST_QUOTE = 60;

/** A value as it may be shown: one line, in quotes, cut when long. */
export function quote(text: string): string {
  const shown = text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text;
  return JSON.stringify(shown);
}

/** What kind of thing a value is, with the value itself if `show` and if it is short. */
export function describe(value: unknown, show: boolean): string {
  if (value instanceof Encrypted) return "an encrypted value";
  if (Array.isArray(value)) return "a list";
  switch (typeof value) {
    case "string":
      return show ? `the text ${quote(value)}` : "a text";
    case "number":
      return show ? `the number ${value}` : "a number";
    case "boolean":
      return show ? `the yes/no value ${value}` : "a yes/no value";
    default:
      return "a map";
  }
}

/** The candidate that was most probably meant, or `undefined` when none is near. */
export function nearest(written: string, candidates: Iterable<string>): string | undefined {
  const folded = written.toLowerCase();
  let best: { candidate: string; distance: number } | undefined;
  for (const candidate of [...candidates].sort()) {
    const away = distance(folded, candidate.toLowerCase());
    if (
      away <= Math.max(2, Math.floor(candidate.length / 3)) &&
      away * 2 <= candidate.length &&
      away < (best?.distance ?? Infinity)
    ) {
      best = { candidate, distance: away };
    }
  }
  if (best || folded.length < 3) return best?.candidate;
  return [...candidates].sort().find((candidate) => candidate.toLowerCase().includes(folded));
}

/** `a`, `b` and `c`. */
export function listNames(names: Iterable<string>): string {
  const quoted = [...names].sort().map((name) => `\`${name}\``);
  const last = quoted.pop();
  if (last === undefined) return "none";
  return quoted.length === 0 ? last : `${quoted.join(", ")} and ${last}`;
}
