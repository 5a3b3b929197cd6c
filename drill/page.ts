import type { Description } from "../plan/describe";
import type { Figures } from "../operate/measure/judge";
import type { Pledge } from "../operate/measure/promises";
import type { Trial } from "../operate/measure/conduct";
import { COLOURS } from "./colours";
import { events } from "./events";
import { duration, escape } from "./markup";
import { rows } from "./rows";
import { timeline } from "./timeline";
import { topology } from "./topology";

export interface Report {
  stack: string;
  /** When it was done, for people. */
  date: string;
  servers: Description["servers"];
  trial: Trial;
  figures: Figures;
  pledges: Pledge[];
  /** Seconds between adverts. */
  advertInterval: number;
}

/** One self-contained page: it asks for nothing from anywhere, and runs no script. */
export function page(report: Report): string {
  const { stack, date, servers, trial, figures, pledges, advertInterval } = report;
  const { record, after } = trial;
  const held = pledges.every((pledge) => pledge.held);
  const roles = { before: record.active, after: after.active, hit: record.hit };
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escape(`Drill ${record.fault.name}, stack ${stack}, ${date}`)}</title>
<style>${COLOURS}${STYLE}</style>
</head>
<body class="drill">
<main>
<header>
<p class="eyebrow">Failover drill · stack ${escape(stack)} · <time>${escape(date)}</time></p>
<h1>${escape(record.fault.name)} <span class="verdict ${held ? "held" : "broken"}">${held ? "held what was promised" : "did not hold"}</span></h1>
<p class="lead">${escape(sentence(record.fault.does))} Adverts every ${advertInterval} s.</p>
</header>
<section class="cards" aria-label="The main figures">
${cards(figures)}
</section>
<div class="columns">
<section aria-labelledby="promised"><h2 id="promised">Promised</h2>
<ul class="pledges">
${pledges.map(pledge).join("\n")}
</ul>
${after.problems.length === 0 ? "" : `<p><strong>Not as before:</strong></p><ul>${after.problems.map((each) => `<li>${escape(each)}</li>`).join("")}</ul>`}
</section>
<section aria-labelledby="measured"><h2 id="measured">Measured</h2>
<table><thead class="hidden"><tr><th scope="col">What</th><th scope="col">Figure</th></tr></thead><tbody>
${rows(figures).map(tableRow).join("\n")}
</tbody></table>
${record.lag > 100 ? `<p class="faint">The measuring machine itself was up to ${Math.round(record.lag)} ms late: it was busy, and the figures are no better than that.</p>` : ""}
</section>
</div>
<section aria-labelledby="over-time"><h2 id="over-time">Over time</h2>
<div class="scroll" role="region" aria-label="Timeline" tabindex="0">${timeline(record)}</div>
</section>
<section aria-labelledby="where"><h2 id="where">Where</h2>
<div class="scroll" role="region" aria-label="Topology" tabindex="0">${topology(servers, record.vips, roles)}</div>
</section>
<section aria-labelledby="what"><h2 id="what">What happened when</h2>
<ol class="events">
${events(record)
  .map(({ when, what }) => `<li><span>${escape(when)}</span> ${escape(what)}</li>`)
  .join("\n")}
</ol>
</section>
</main>
</body>
</html>
`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function cards({ ipv4, ipv6, heal }: Figures): string {
  const families = [
    { name: "IPv4", figures: ipv4 },
    { name: "IPv6", figures: ipv6 },
  ].flatMap(({ name, figures }) => (figures ? [{ name, figures }] : []));
  return [
    ...families.map(({ name, figures }) => card(duration(figures.longest), `longest gap ${name}`)),
    ...families.map(({ name, figures }) => card(String(figures.failed), `of ${figures.sent} failed, ${name}`)),
    card(duration(heal), "until all was as before"),
  ].join("\n");
}

function card(value: string, label: string): string {
  return `<div class="card"><b>${escape(value)}</b><span>${escape(label)}</span></div>`;
}

function pledge({ text, held }: Pledge): string {
  return `<li class="${held ? "held" : "broken"}"><span class="hidden">${held ? "held:" : "not held:"}</span> ${escape(text)}</li>`;
}

function tableRow({ what, value, meaning }: ReturnType<typeof rows>[number]): string {
  return `<tr><th scope="row">${escape(what)}<small>${escape(meaning)}</small></th><td>${escape(value)}</td></tr>`;
}

const STYLE = `
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1040px; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.7rem; margin: .2rem 0 .4rem; display: flex; flex-wrap: wrap; gap: .8rem; align-items: center; line-height: 1.2; }
h2 { font-size: 1.1rem; margin: 2rem 0 .6rem; }
.eyebrow, .faint, small { color: var(--faint); } .eyebrow { margin: 0; font-size: .9rem; } .lead { margin: 0; max-width: 48rem; }
.verdict { font-size: .85rem; font-weight: 600; padding: .25rem .7rem; border-radius: 1rem; color: var(--paper); }
.verdict.held { background: var(--ok); } .verdict.broken { background: var(--bad); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .8rem; margin-top: 1.4rem; }
.card { background: var(--box); border: 1px solid var(--line); border-radius: .6rem; padding: .8rem 1rem; }
.card b { display: block; font-size: 1.5rem; line-height: 1.25; font-variant-numeric: tabular-nums; } .card span { color: var(--faint); font-size: .9rem; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(19rem, 1fr)); gap: 0 2.5rem; align-items: start; }
.pledges { list-style: none; padding: 0; margin: 0; } .pledges li { padding: .4rem 0 .4rem 1.8rem; position: relative; border-bottom: 1px solid var(--line); }
.pledges li::before { position: absolute; left: .2rem; font-weight: 700; } .pledges .held::before { content: "✓"; color: var(--ok); } .pledges .broken::before { content: "✗"; color: var(--bad); }
table { border-collapse: collapse; width: 100%; } th { text-align: left; font-weight: 500; } small { display: block; font-weight: 400; font-size: .82rem; }
th, td { padding: .4rem 0; border-bottom: 1px solid var(--line); vertical-align: top; } td { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; font-weight: 600; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: .6rem; padding: .6rem; } .scroll:focus-visible { outline: 3px solid var(--lane-0); outline-offset: 2px; }
.scroll svg { display: block; width: 100%; min-width: 720px; height: auto; }
.events { list-style: none; padding: 0; margin: 0; } .events li { display: flex; gap: 1rem; padding: .25rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
.events span { flex: none; width: 5rem; text-align: right; color: var(--faint); font-variant-numeric: tabular-nums; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media print { .scroll { overflow: visible; } }
`;
