import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import type { Stack } from "../../operate/stack";
import { stackState } from "../../operate/lab/places";
import { type Cut, cutShort, everythingIsKnown, recovered } from "../lab/cut";
import { engineOf } from "../lab/engine";
import { cluster, NAME, open, stackFile, verb } from "../lab/support";
import { temporaryFolder } from "../support/folder";

/** How many runs are cut; which ones, `SEED` decides. */
const CUTS = 30;

const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);

/** Each is gone on with until it is through: built from nothing, grown and changed, shrunk, and destroyed. */
const PHASES = ["destroy", "build", "grow", "shrink"] as const;

type Phase = (typeof PHASES)[number];

/** About as many lines as a run prints of what it begins and ends. */
const LINES: Record<Phase, number> = { destroy: 200, build: 200, grow: 60, shrink: 50 };

const FILES: Record<Phase, ReturnType<typeof stackFile>> = {
  destroy: stackFile(),
  build: stackFile(),
  grow: stackFile().set("appServers.app.perDatacenter", 2).set("services.web.healthCheck", "/healthz?grown"),
  shrink: stackFile(),
};

const cuts: fc.Arbitrary<[number, Pick<Cut, "signal" | "whom">]> = fc.tuple(
  fc.integer({ min: 0, max: 999 }),
  fc.oneof(
    fc.record({
      whom: fc.constant("engine" as const),
      signal: fc.constantFrom("SIGINT" as const, "SIGHUP" as const, "SIGTERM" as const, "SIGKILL" as const),
    }),
    fc.record({
      whom: fc.constantFrom("openstack" as const, "command" as const),
      signal: fc.constant("SIGKILL" as const),
    }),
  ),
);

describe("runs that are cut anywhere", () => {
  const folder = temporaryFolder();
  let stack: Stack;

  before(async () => {
    stack = await open(FILES.build, folder.path);
    await stack.up();
  });
  after(() => folder.remove());

  test(`${CUTS} of them, seed ${SEED}: one command, and the next run goes on; nothing is left behind`, async (t) => {
    let phase = 0;
    for (const [index, [part, hit]] of fc.sample(cuts, { numRuns: CUTS, seed: SEED }).entries()) {
      const name = PHASES[phase % PHASES.length]!;
      stack = await open(FILES[name], folder.path);
      const command = name === "destroy" ? "destroy" : "up";
      if (command === "destroy") await stack.must(["state", "unprotect", "--all", "--yes", "--stack", NAME]);
      const nth = 1 + Math.floor((part * LINES[name]) / 1000);
      const printed = await cutShort(stack, command, {
        at: /(creating|created|updating|updated|deleting|deleted) \(/,
        nth,
        ...hit,
      });
      const last =
        printed
          ?.trimEnd()
          .split("\n")
          .findLast((line) => /ing \(/.test(line)) ?? "came to its end before";
      t.diagnostic(`${index + 1}: ${name}, ${hit.signal} to ${hit.whom} at line ${nth}: ${last.trim()}`);
      if (printed === undefined) phase++;
      const said = await recovered(stack);
      t.diagnostic(said.trim().split("\n").slice(0, -1).join("; "));
      assert.equal(engineOf(stackState(NAME), NAME), undefined);
      await everythingIsKnown(stack);
    }
    stack = await open(FILES.build, folder.path);
    await stack.up();
    await stack.up(["--expect-no-changes"]);
    const { code, stdout } = await verb("verify", stack);
    assert.equal(code, 0, stdout);
    await cluster.master(cluster.addresses(["ipv4", "ipv6"]));
  });
});
