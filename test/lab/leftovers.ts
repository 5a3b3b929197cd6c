import { rmSync } from "node:fs";
import { stackState } from "../../operate/lab/places";
import { lab, NAME } from "./support";

/** Empties the tests' project, and forgets their stack: what a run left that was killed would be in the way of the next. */
export async function removeLeftovers(): Promise<void> {
  await lab.empty();
  rmSync(stackState(NAME), { recursive: true, force: true });
}
