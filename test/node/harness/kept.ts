import assert from "node:assert/strict";
import { join } from "node:path";
import { until } from "../../../operate/poll";
import { Witnesses } from "../../witnesses/witnesses";
import type { Client } from "./load-balancers";

const WITNESS = join(__dirname, "..", "..", "witnesses", "client.ts");

/** Clients that ask again and again over one connection each, until `change` is over; how often each had to open another one. */
export async function kept(
  client: Client,
  urls: readonly string[],
  path: string,
  change: () => Promise<void>,
): Promise<number[]> {
  const orders = urls.map((url) => ({ witness: url, kind: "kept", url: `${url}${path}`, contains: "served" }));
  const command = [process.execPath, "--import", "tsx", WITNESS, JSON.stringify(orders)];
  const witnesses = new Witnesses().add([...urls], client.inside(...command));
  try {
    await witnesses.begun();
    await change();
    await untilAnswered(witnesses, 30);
  } finally {
    await witnesses.stop();
  }
  return witnesses.seen.map(({ breaks, renewed, witness }) => {
    assert.deepEqual(breaks, [], witness);
    return renewed;
  });
}

async function untilAnswered(witnesses: Witnesses, more: number): Promise<void> {
  const before = new Map(witnesses.seen.map(({ witness, beats }) => [witness, beats]));
  await until(
    `${more} answers`,
    () => Promise.resolve(witnesses.seen),
    (seen) => seen.every(({ witness, beats }) => beats >= before.get(witness)! + more),
  );
}
