import type { Figures } from "../operate/measure/judge";

/** One run of one fault. */
export interface Measured {
  fault: string;
  figures: Figures;
  /** Milliseconds that the client was behind its clock at most. */
  lag: number;
  /** What was not as before in the end. */
  problems: readonly string[];
}

const COLUMNS: [name: string, of: (run: Measured) => number | undefined][] = [
  ["gap IPv4", ({ figures }) => figures.ipv4?.longest],
  ["gap IPv6", ({ figures }) => figures.ipv6?.longest],
  ["gap gateway", ({ figures }) => figures.gateway],
  ["gap internal VIP", ({ figures }) => figures.internalVip],
  ["sent IPv4", ({ figures }) => figures.ipv4?.sent],
  ["failed IPv4", ({ figures }) => figures.ipv4?.failed],
  ["sent IPv6", ({ figures }) => figures.ipv6?.sent],
  ["failed IPv6", ({ figures }) => figures.ipv6?.failed],
  ["two masters", ({ figures }) => figures.twoMasters],
  ["families apart", ({ figures }) => figures.apart],
  ["moves", ({ figures }) => figures.moves],
  ["heal", ({ figures }) => figures.heal],
  ["client late", ({ lag }) => lag],
];

/** A line for each fault, in the order in which they came; each cell is min / median / max, times in ms. */
export function failoverTable(runs: readonly Measured[]): string {
  const head = ["fault", ...COLUMNS.map(([name]) => name), "well in the end"];
  const lines = [...new Set(runs.map(({ fault }) => fault))].map((fault) => {
    const same = runs.filter((run) => run.fault === fault);
    const well = same.filter(({ problems }) => problems.length === 0).length;
    return [fault, ...COLUMNS.map(([, of]) => spread(same.map(of))), `${well} of ${same.length}`];
  });
  return [head, head.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function spread(values: readonly (number | undefined)[]): string {
  const known = values.filter((value) => value !== undefined).sort((a, b) => a - b);
  if (known.length === 0) return "–";
  const [min, max] = [Math.round(known[0]!), Math.round(known.at(-1)!)];
  const median = Math.round(
    (known[Math.floor((known.length - 1) / 2)]! + known[Math.ceil((known.length - 1) / 2)]!) / 2,
  );
  return min === max ? String(min) : `${min} / ${median} / ${max}`;
}
