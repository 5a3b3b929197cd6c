import type { Attempt } from "../operate/traffic/gap";
import { familyOf, type Lane, type Record, type Vip } from "../operate/measure/record";
import { spansOf } from "../operate/measure/spans";
import { COLOURS, laneClass } from "./colours";
import { events, summary } from "./events";
import { escape, px } from "./markup";

const WIDTH = 960;
const LEFT = 150;
const RIGHT = 14;
const TOP = 46;
/** Milliseconds that are shown before the fault. */
const BEFORE = 3000;

interface Scale {
  from: number;
  to: number;
  x: (at: number) => number;
}

/** One fault over time: what clients got, by family, and which load balancer had which VIP. A document of its own. */
export function timeline(record: Record): string {
  const { began, healed } = record;
  const seen = [...record.attempts, ...record.lanes.flatMap(({ samples }) => samples.slice(0, 1))].map(({ at }) => at);
  const from = seen.reduce((latest, at) => Math.min(latest, at), began);
  const scale = scaleOf(Math.max(began - BEFORE, from), Math.max(record.ended, healed + 1000));
  const rows: string[] = [];
  let y = TOP;
  const add = (height: number, draw: (y: number) => string): void => {
    rows.push(draw(y));
    y += height;
  };
  for (const { name, unit, attempts, height } of strips(record))
    if (attempts.length > 0) add(height + 20, (at) => strip(attempts, name, unit, at, height, scale));
  add(26, (at) => `<text class="strong" x="10" y="${at + 14}">Who has the VIPs</text>${legend(at + 14)}`);
  for (const [index, lane] of record.lanes.entries()) {
    const role = lane.machine === record.active ? "active before" : "standby before";
    add(48, (at) => laneRow(lane, index, role, record.vips, at, scale));
  }
  const bottom = y + 4;
  const text = [summary(record), ...events(record).map(({ when, what }) => `${when} ${what}`)].join(". ");
  return `<svg class="drill" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bottom + 28}" role="img" aria-labelledby="timeline-title timeline-text">
<title id="timeline-title">${escape(`${record.fault.name}: requests and VIPs over time`)}</title>
<desc id="timeline-text">${escape(text)}</desc>
<style>${COLOURS}</style>
<rect class="shade" x="${px(scale.x(began))}" y="${TOP - 10}" width="${px(scale.x(healed) - scale.x(began))}" height="${bottom - TOP + 10}"/>
${rows.join("\n")}
${mark(scale.x(began), "mark", "bad", "fault", bottom)}
${mark(scale.x(healed), "healed", "ok", "put back", bottom)}
${axis(scale, began, bottom)}
</svg>
`;
}

function scaleOf(from: number, to: number): Scale {
  const width = WIDTH - LEFT - RIGHT;
  return { from, to, x: (at) => LEFT + (width * (Math.min(Math.max(at, from), to) - from)) / (to - from) };
}

function strips(record: Record): { name: string; unit: string; attempts: Attempt[]; height: number }[] {
  const internal = record.vips.find(({ kind }) => kind === "internal")?.address;
  const family = (which: "ipv4" | "ipv6"): Attempt[] => record.attempts.filter(({ url }) => familyOf(url) === which);
  return [
    { name: "IPv4 requests", unit: "from outside", attempts: family("ipv4"), height: 54 },
    { name: "IPv6 requests", unit: "from outside", attempts: family("ipv6"), height: 54 },
    {
      name: "Echo from inside",
      unit: "by the gateway",
      attempts: record.pings.filter(({ url }) => url !== internal),
      height: 48,
    },
  ];
}

/** Attempts over time as columns: the share that was answered, and on top of it the share that failed. */
function strip(
  attempts: readonly Attempt[],
  name: string,
  unit: string,
  y: number,
  height: number,
  scale: Scale,
): string {
  const columns = Array.from({ length: 200 }, () => ({ ok: 0, failed: 0 }));
  const width = (scale.to - scale.from) / columns.length;
  for (const { at, ok } of attempts) {
    const column = columns[Math.floor((at - scale.from) / width)];
    if (column) column[ok ? "ok" : "failed"]++;
  }
  const bar = (index: number, below: number, amount: number): string => {
    if (amount === 0) return "";
    const most = columns[index]!.ok + columns[index]!.failed;
    const bottom = y + height * (1 - below / most);
    const [left, right] = [scale.x(scale.from + index * width), scale.x(scale.from + (index + 1) * width)];
    return `M${px(left)} ${px(bottom)}H${px(right)}V${px(bottom - (amount / most) * height)}H${px(left)}Z`;
  };
  const failed = attempts.filter(({ ok }) => !ok).length;
  return `<text class="strong" x="10" y="${y + 14}">${name}</text>
<text class="faint small" x="10" y="${y + 31}">${unit}</text>
<text class="small ${failed > 0 ? "bad" : "faint"}" x="10" y="${y + 47}">${failed} of ${attempts.length} failed</text>
<path class="ok" d="${columns.map(({ ok }, index) => bar(index, 0, ok)).join("")}"/>
<path class="bad" d="${columns.map((each, index) => bar(index, each.ok, each.failed)).join("")}"/>
<path class="grid" d="M${LEFT} ${px(y + height + 0.5)}H${WIDTH - RIGHT}"/>`;
}

const KINDS: Vip["kind"][] = ["ipv4", "ipv6", "internal"];

function legend(y: number): string {
  return `<text class="faint small" x="${LEFT}" y="${y}">IPv4 above IPv6 above internal; grey: the machine is silent; red line: its haproxy doesn’t answer</text>`;
}

function laneRow(lane: Lane, index: number, role: string, vips: readonly Vip[], y: number, scale: Scale): string {
  const spans = spansOf(lane, scale.from, scale.to);
  const box = ({ from, to }: { from: number; to: number }, top: number, height: number, style: string): string =>
    `<rect class="${style}" x="${px(scale.x(from))}" y="${px(top)}" width="${px(Math.max(0.6, scale.x(to) - scale.x(from)))}" height="${height}"/>`;
  const bars = KINDS.flatMap((kind, row) => {
    const addresses = vips.filter((vip) => vip.kind === kind).map(({ address }) => address);
    return spans
      .filter(({ sample }) => addresses.some((address) => sample?.holds.includes(address)))
      .map((span) => box(span, y + 1 + row * 11, 9, laneClass(index)));
  });
  const silent = spans.filter(({ sample }) => !sample).map((span) => box(span, y + 1, 31, "silent"));
  const down = spans.filter(({ sample }) => sample && !sample.haproxy).map((span) => box(span, y + 35, 4, "bad"));
  return `<text class="mono" x="10" y="${y + 14}">${escape(shorten(lane.machine))}</text>
<text class="faint small" x="10" y="${y + 31}">${role}</text>
${[...silent, ...bars, ...down].join("")}
<path class="grid" d="M${LEFT} ${px(y + 42.5)}H${WIDTH - RIGHT}"/>`;
}

function mark(x: number, line: string, colour: string, name: string, bottom: number): string {
  return `<path class="${line}" d="M${px(x)} ${TOP - 14}V${bottom}"/>
<text class="${colour} strong" x="${px(x)}" y="${TOP - 22}" text-anchor="middle">${name}</text>`;
}

function axis(scale: Scale, zero: number, y: number): string {
  const seconds = (scale.to - scale.from) / 1000;
  const step = [1, 2, 5, 10, 20, 50].find((each) => seconds / each <= 16) ?? 100;
  const ticks: string[] = [];
  for (let each = Math.ceil((scale.from - zero) / 1000 / step) * step; zero + each * 1000 <= scale.to; each += step) {
    const x = px(scale.x(zero + each * 1000));
    ticks.push(
      `<path class="grid" d="M${x} ${y}v5"/><text class="faint small" x="${x}" y="${y + 18}" text-anchor="middle">${each} s</text>`,
    );
  }
  return ticks.join("\n");
}

/** The end of a name tells machines apart. */
function shorten(name: string): string {
  return name.length <= 17 ? name : `…${name.slice(-16)}`;
}
