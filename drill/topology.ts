import type { Description, ServerDescription } from "../plan/describe";
import type { Vip } from "../operate/measure/record";
import { COLOURS, laneClass } from "./colours";
import { escape } from "./markup";

export interface Roles {
  /** Load balancer that had the VIPs before, and the one that has them in the end. */
  before: string;
  after: string | undefined;
  /** Machines that the fault met. */
  hit: readonly string[];
}

const WIDTH = 960;
const MARGIN = 10;
const GUTTER = 14;
const BOX = 54;
const STEP = BOX + 10;

type Named = [name: string, server: ServerDescription];

/** The machines of a stack by datacenter, between the two networks that they share. A document of its own. */
export function topology(servers: Description["servers"], vips: readonly Vip[], roles: Roles): string {
  const all: Named[] = Object.entries(servers);
  const datacenters = [...new Set(all.map(([, { datacenter }]) => datacenter))].sort();
  const balancers = all.filter(([, { role }]) => role === "load-balancer").map(([name]) => name);
  const width = (WIDTH - 2 * MARGIN - GUTTER * (datacenters.length - 1)) / datacenters.length;
  const columns = datacenters.map((datacenter, index) => ({
    datacenter,
    x: MARGIN + index * (width + GUTTER),
    balancers: all.filter(([name, server]) => server.datacenter === datacenter && balancers.includes(name)),
    others: all.filter(([name, server]) => server.datacenter === datacenter && !balancers.includes(name)),
  }));
  const [outer, top] = [MARGIN, 92];
  const upper = Math.max(...columns.map((column) => column.balancers.length)) * STEP;
  const inner = top + 30 + upper;
  const lower = Math.max(...columns.map((column) => column.others.length)) * STEP;
  const bottom = inner + 46 + lower;
  const box = machine(balancers, roles, width - 20);
  const drawn = columns.map(
    (
      column,
    ) => `<rect class="frame" x="${column.x}" y="${top - 12}" width="${width}" height="${bottom - top + 14}" rx="8"/>
<text class="faint strong" x="${column.x + 10}" y="${top + 8}">${escape(column.datacenter)}</text>
${column.balancers.map((each, row) => box(each, column.x + 10, top + 20 + row * STEP)).join("\n")}
${column.others.map((each, row) => box(each, column.x + 10, inner + 44 + row * STEP)).join("\n")}`,
  );
  const addresses = (inside: boolean): string =>
    vips
      .filter(({ kind }) => (kind === "internal") === inside)
      .map(({ address }) => address)
      .join("   ");
  return `<svg class="drill" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bottom + 12}" role="img" aria-labelledby="topology-title topology-text">
<title id="topology-title">The machines of the stack</title>
<desc id="topology-text">${escape(inWords(columns, roles))}</desc>
<style>${COLOURS}</style>
${drawn.join("\n")}
${band(outer, "VIPs, external network", addresses(false))}
${band(inner, "internal VIP, gateway of the servers", addresses(true))}
</svg>
`;
}

function band(y: number, name: string, addresses: string): string {
  return `<rect class="box" x="${MARGIN}" y="${y}" width="${WIDTH - 2 * MARGIN}" height="34" rx="6"/>
<text class="strong" x="${MARGIN + 12}" y="${y + 22}">${name}</text>
<text class="mono" x="${WIDTH - MARGIN - 12}" y="${y + 22}" text-anchor="end">${escape(addresses)}</text>`;
}

function machine(balancers: readonly string[], roles: Roles, width: number) {
  return ([name, { role, internal, external }]: Named, x: number, y: number): string => {
    const index = balancers.indexOf(name);
    const notes = [
      ...(name === roles.before ? ["active before"] : []),
      ...(name === roles.after ? ["active after"] : []),
      ...(roles.hit.includes(name) ? ["hit"] : []),
    ];
    const stripe =
      index < 0 ? "" : `<rect class="${laneClass(index)}" x="${x}" y="${y}" width="6" height="${BOX}" rx="2"/>`;
    return `<rect class="box${roles.hit.includes(name) ? " hit" : ""}" x="${x}" y="${y}" width="${width}" height="${BOX}" rx="5"/>${stripe}
<text class="strong mono" x="${x + 16}" y="${y + 21}">${escape(name)}</text>
<text class="small ${roles.hit.includes(name) ? "bad" : "ok"} strong" x="${x + width - 10}" y="${y + 21}" text-anchor="end">${notes.join(", ")}</text>
<text class="faint small" x="${x + 16}" y="${y + 41}">${escape((external ? [external.ipv4, internal] : [role.replace("-", " "), internal]).join(" · "))}</text>`;
  };
}

function inWords(columns: { datacenter: string; balancers: Named[]; others: Named[] }[], roles: Roles): string {
  const lists = columns.map(
    ({ datacenter, balancers, others }) =>
      `${datacenter}: ${[...balancers, ...others].map(([name, { role }]) => `${name} (${role})`).join(", ")}`,
  );
  return [
    ...lists,
    `${roles.before} was active before`,
    `${roles.after ?? "nobody"} is active after`,
    `the fault met ${roles.hit.join(", ")}`,
  ].join(". ");
}
