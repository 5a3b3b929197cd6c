import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { failoverTable } from "../../../bench/failoverTable";
import { events } from "../../../drill/events";
import { duration, escape } from "../../../drill/markup";
import { page } from "../../../drill/page";
import { timeline } from "../../../drill/timeline";
import { topology } from "../../../drill/topology";
import { judge } from "../../../operate/measure/judge";
import { promises } from "../../../operate/measure/promises";
import { ALL, attempts, beats, record, sample, VIPS } from "../operate/record";

const EVIL = `</style><script>alert("x")</script>&'`;
const RECORD = record({
  fault: { name: "power-off", does: `loses its power ${EVIL}`, kind: "crash" },
  active: `lb-${EVIL}`,
  attempts: attempts("http://203.0.113.100/", 10_000, 13_000),
  lanes: [
    { machine: `lb-${EVIL}`, samples: beats(8000, 10_000, "MASTER", ALL) },
    {
      machine: "lb-dc2",
      samples: [
        ...beats(8000, 13_000, "BACKUP"),
        sample(13_000, "MASTER", ALL),
        ...beats(14_000, 30_000, "MASTER", ALL),
      ],
    },
  ],
});
const SERVERS = {
  [`lb-${EVIL}`]: {
    ...{ id: "lb-dc1", role: "load-balancer", datacenter: `dc1${EVIL}`, internal: "198.51.100.11" },
    external: { ipv4: "203.0.113.11" },
  },
  "lb-dc2": {
    ...{ id: "lb-dc2", role: "load-balancer", datacenter: "dc2", internal: "198.51.100.12" },
    external: { ipv4: "203.0.113.12" },
  },
  "app-dc2-1": { id: "app-dc2-1", role: "app-server", datacenter: "dc2", internal: "198.51.100.32" },
};

function drawn(): string {
  const trial = { record: RECORD, after: { active: "lb-dc2", problems: [`lb-${EVIL} can't be reached`] } };
  const figures = judge(RECORD);
  const pledges = promises(trial, figures, 1, 100);
  return page({
    stack: EVIL,
    date: "2026-11-22 22:00 UTC",
    servers: SERVERS,
    trial,
    figures,
    pledges,
    advertInterval: 1,
  });
}

/** Every element closed in turn, as XML wants it; the names of those that are not. */
function unbalanced(xml: string): string[] {
  const open: string[] = [];
  for (const [, closing, name, rest] of xml.matchAll(/<(\/?)([a-zA-Z][\w:-]*)((?:"[^"]*"|[^<>"])*)>/g)) {
    if (closing === "/") {
      if (open.pop() !== name) return [name!];
    } else if (!rest!.endsWith("/")) open.push(name!);
  }
  return open;
}

describe("the drill's pictures", () => {
  for (const [name, svg] of Object.entries({
    timeline: timeline(RECORD),
    topology: topology(SERVERS, VIPS, { before: `lb-${EVIL}`, after: "lb-dc2", hit: [`lb-${EVIL}`] }),
  })) {
    test(`${name} is a well-formed document of its own, with a text for who can't see it`, () => {
      assert.match(svg, /^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"[^>]*role="img" aria-labelledby="[^"]+"/);
      assert.deepEqual(unbalanced(svg), []);
      assert.match(svg, /<desc id="[^"]+">[^<]*lb-dc2/);
      assert.ok(!svg.includes("<script>") && !svg.includes(EVIL));
      assert.ok(!/NaN|undefined|Infinity/.test(svg));
    });
  }

  test("the check of well-formedness can fail", () => {
    assert.deepEqual(unbalanced("<svg><g></svg>"), ["svg"]);
    assert.deepEqual(unbalanced("<svg><g>"), ["svg", "g"]);
  });

  test("the page asks for nothing from outside, runs nothing, and escapes what machines and people called things", () => {
    const html = drawn();
    assert.ok(!/<script|<link|<img|<iframe|@import|url\(|src=|href=/i.test(html));
    assert.ok(!html.includes(EVIL));
    assert.match(html, /<html lang="en">/);
    assert.match(html, /name="viewport"/);
    assert.equal(html.match(/role="region" aria-label="[^"]+" tabindex="0"/g)?.length, 2);
    assert.match(html, /did not hold/);
    assert.ok(!/NaN|undefined|Infinity/.test(html));
  });
});

describe("the drill's words", () => {
  test("events are told in order, from the fault on", () => {
    const told = events(RECORD).map(({ when, what }) => `${when} ${what.replace(EVIL, "dc1")}`);
    assert.deepEqual(told.slice(-2), [`+3.00 s lb-dc2 gets ${ALL.join(", ")}`, "+10.00 s the fault is put back"]);
    assert.ok(told.includes("+3.00 s lb-dc2 becomes MASTER"));
    assert.ok(told.some((each) => each.endsWith("lb-dc1 falls silent")));
  });

  test("durations and text", () => {
    assert.deepEqual([40, 3080, 12_400].map(duration), ["40 ms", "3.08 s", "12.4 s"]);
    assert.equal(escape(`<a b="c">&'\u0001`), "&#60;a b=&#34;c&#34;&#62;&#38;&#39;\ufffd");
  });

  test("the bench's table gives min, median and max", () => {
    const runs = [3, 1, 2].map((failed) => ({
      ...{ fault: "power-off", lag: 1, problems: [] },
      figures: { ...judge(RECORD), heal: failed * 1000 },
    }));
    assert.match(failoverTable(runs), /^\| power-off \| 3100 \|.*\| 1000 \/ 2000 \/ 3000 \| 1 \| 3 of 3 \|$/m);
  });
});
