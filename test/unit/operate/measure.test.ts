import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { judge } from "../../../operate/measure/judge";
import { promises, protocolLimit } from "../../../operate/measure/promises";
import { readPings, readSamples } from "../../../operate/measure/record";
import { spansOf } from "../../../operate/measure/spans";
import { ALL, attempts, beats, record, sample } from "./record";

const [V4, V6] = ALL as [string, string, string];
const HTTP4 = "http://203.0.113.100/";
const HTTPS4 = "https://203.0.113.100/";
const HTTP6 = "http://[2001:db8:45:67bb::1]/";

/** dc1 falls silent at 10 s; dc2 takes over at 13 s; dc1 is back as a backup at 24 s. */
const LOST = record({
  attempts: [
    ...attempts(HTTP4, 10_000, 13_000),
    ...attempts(HTTPS4, 10_000, 13_200),
    ...attempts(HTTP6, 10_000, 13_500),
  ],
  pings: [...attempts("203.0.113.1", 10_000, 12_000), ...attempts("198.51.100.1", 10_000, 11_000)],
  lanes: [
    { machine: "lb-dc1", samples: [...beats(8000, 10_000, "MASTER", ALL), ...beats(24_000, 30_000, "BACKUP")] },
    { machine: "lb-dc2", samples: [...beats(8000, 13_000, "BACKUP"), ...beats(13_000, 30_000, "MASTER", ALL)] },
  ],
});

describe("what a fault cost", () => {
  test("gaps and failures by family, the worse scheme counting", () => {
    const { ipv4, ipv6, gateway, internalVip } = judge(LOST);
    assert.equal(ipv4!.longest, 3300);
    assert.equal(ipv4!.failed, 30 + 32);
    assert.equal(ipv4!.sent, 440);
    assert.equal(ipv4!.bySchemes.http!.longest, 3100);
    assert.equal(ipv6!.longest, 3600);
    assert.deepEqual([gateway, internalVip], [2100, 1100]);
  });

  test("a family that was not asked has no figures", () => {
    const figures = judge(record({ attempts: attempts(HTTP4, 0, 0) }));
    assert.equal(figures.ipv6, undefined);
    assert.equal(figures.gateway, undefined);
  });

  test("a machine that is silent is no second master, and the VIPs moved once", () => {
    const { twoMasters, apart, moves } = judge(LOST);
    assert.deepEqual({ twoMasters, apart, moves }, { twoMasters: 0, apart: 0, moves: 1 });
  });

  test("it takes until the last one is back to heal", () => {
    assert.equal(judge(LOST).heal, 4000);
  });

  test("a failed request after the heal makes it longer", () => {
    const late = { url: HTTP4, at: 26_000, late: 0, milliseconds: 800, ok: false };
    assert.equal(judge({ ...LOST, attempts: [...LOST.attempts, late] }).heal, 6800);
  });

  test("time with two masters, and with the families apart", () => {
    const { twoMasters, apart } = judge(
      record({
        lanes: [
          {
            machine: "lb-dc1",
            samples: [...beats(8000, 12_000, "MASTER", ALL), ...beats(12_000, 30_000, "BACKUP", [V4])],
          },
          {
            machine: "lb-dc2",
            samples: [
              sample(10_000, "BACKUP"),
              sample(11_000, "MASTER", ALL),
              ...beats(12_000, 30_000, "MASTER", [V6]),
            ],
          },
        ],
      }),
    );
    assert.deepEqual({ twoMasters, apart }, { twoMasters: 1000, apart: 18_000 });
  });
});

describe("what was promised", () => {
  const healthy = { active: "lb-dc2", problems: [] };

  test("VRRP's own limit is 3 adverts and the skew of the lowest priority", () => {
    assert.equal(Math.round(protocolLimit(1)), 3609);
    assert.equal(Math.round(protocolLimit(0.1)), 361);
  });

  test("a gap within 10 % of it is kept, a longer one is not", () => {
    const speed = (interval: number): boolean =>
      promises({ record: LOST, after: healthy }, judge(LOST), interval, 100).find(({ text }) => text.includes("gap"))!
        .held;
    assert.equal(speed(1), true);
    assert.equal(speed(0.3), false);
  });

  test("a planned handover loses no request", () => {
    const planned = { ...LOST, fault: { ...LOST.fault, kind: "planned" as const } };
    const [first] = promises({ record: planned, after: healthy }, judge(planned), 1, 100);
    assert.deepEqual(first, { text: "No request fails", held: false });
    const clean = { ...planned, attempts: attempts(HTTP4, 0, 0) };
    assert.equal(promises({ record: clean, after: healthy }, judge(clean), 1, 100)[0]!.held, true);
  });

  test("a cluster that is not as before breaks its promise", () => {
    const after = { problems: ["keepalived of lb-dc1 is in state FAULT"] };
    assert.ok(promises({ record: LOST, after }, judge(LOST), 1, 100).some(({ held }) => !held));
  });
});

describe("what machines write", () => {
  test("samples, by our clock, and without a last line that was cut off", () => {
    const text = "1500 MASTER 1 203.0.113.100 198.51.100.1\n2500 - 0\n3500 BACK";
    assert.deepEqual(readSamples(text, 500), [
      sample(1000, "MASTER", ["203.0.113.100", "198.51.100.1"]),
      sample(2000, "-", [], false),
    ]);
  });

  test("echo requests, answered or not", () => {
    assert.deepEqual(
      readPings("1000 203.0.113.1 0.4\n1020 203.0.113.1 -\n", 0).map(({ at, ok, milliseconds }) => [
        at,
        ok,
        milliseconds,
      ]),
      [
        [1000, true, 0.4],
        [1020, false, 0],
      ],
    );
  });

  test("a lane has no holes, and who says nothing for long is silent", () => {
    const lane = {
      machine: "lb-dc1",
      samples: [sample(1000, "BACKUP"), sample(2000, "BACKUP"), sample(9000, "MASTER", ALL)],
    };
    assert.deepEqual(
      spansOf(lane, 0, 10_000).map(({ from, to, sample: said }) => [from, to, said?.state]),
      [
        [0, 1000, undefined],
        [1000, 2000, "BACKUP"],
        [2000, 9000, undefined],
        [9000, 10_000, "MASTER"],
      ],
    );
  });
});
