import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../test/support/folder";
import { Lab } from "../operate/lab/lab";
import { LAB_PASSPHRASE, ROOT } from "../operate/lab/places";
import { StackFile } from "../harness/stackFile";
import { Stack } from "../operate/stack";
import { type Spread, spread } from "./report";
import { sized } from "./stack";

export interface PreviewFigures {
  servers: number;
  resources: number;
  seconds: Spread;
}

/** `pulumi preview` of a cluster that nobody has built: engine, providers and a real Keystone, and nothing is created. */
export async function measurePreview(servers: number, runs: number): Promise<PreviewFigures> {
  const folder = temporaryFolder();
  try {
    const state = join(folder.path, "state");
    mkdirSync(state);
    const stack = await Stack.open({
      name: "dev",
      configFile: sized(StackFile.read(join(ROOT, "Pulumi.dev.yaml")), servers).write(
        join(folder.path, "Pulumi.bench.yaml"),
      ),
      state,
      passphrase: LAB_PASSPHRASE,
      environment: await new Lab("dev").environment(),
    });
    const seconds: number[] = [];
    let resources = 0;
    for (let k = 0; k < runs; k++) {
      const began = performance.now();
      const { code, stdout, stderr } = await stack.preview();
      seconds.push((performance.now() - began) / 1000);
      if (code !== 0) throw new Error(`pulumi preview of ${servers} servers ended with ${code}:\n${stdout}${stderr}`);
      resources = Number(/\+ (\d+) to create/.exec(stdout)?.[1]);
    }
    return { servers, resources, seconds: spread(seconds) };
  } finally {
    folder.remove();
  }
}
