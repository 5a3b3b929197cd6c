import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { parse, stringify } from "yaml";
import { Stack } from "../../operate/stack";
import { temporaryFolder } from "../support/folder";
import { badStacks, basesOf, FOLDER } from "../unit/config/fixtures/bad-stacks";

interface StackYaml {
  encryptionsalt: string;
  config: Record<string, unknown>;
}

function read(path: string): StackYaml {
  return parse(readFileSync(path, "utf8")) as StackYaml;
}

/** The good stack with the bad one's keys, or a file that is no YAML as it is; what stands for a secret becomes one that the engine can decrypt. */
function merged(name: string): string {
  const dev = read(join(__dirname, "..", "..", "Pulumi.dev.yaml"));
  const path = join(FOLDER, name);
  if (name.startsWith("yaml-")) return readFileSync(path, "utf8");
  const layers = [...basesOf(name), name].map((each) => read(join(FOLDER, each)).config);
  const config = Object.assign({}, ...layers) as StackYaml["config"];
  const text = stringify({ encryptionsalt: dev.encryptionsalt, config });
  const { secure } = dev.config["ha-cluster:rootSecret"] as { secure: string };
  return text.replaceAll(/secure: v1:A+:A+/g, `secure: ${secure}`);
}

/** What the engine itself refuses, in words of its own, before our program starts. */
const ENGINE_REFUSES = /must be encrypted as it's secret|missing configuration value|could not unmarshal|yaml: /;

const folder = temporaryFolder();
let stack: Stack;

before(async () => {
  const state = join(folder.path, "state");
  mkdirSync(state);
  stack = await Stack.open({ name: "bad", state, passphrase: "lab", environment: {} });
});
after(() => folder.remove());

describe("`pulumi preview` answers every bad stack file", { concurrency: 2 }, () => {
  for (const { name, expected } of badStacks()) {
    test(name, async () => {
      const configFile = join(folder.path, `Pulumi.${name}`);
      writeFileSync(configFile, merged(name));

      const { code, stdout, stderr } = await stack.preview(["--config-file", configFile]);
      const said = stdout + stderr;
      assert.notEqual(code, 0);
      if (!ENGINE_REFUSES.test(said)) {
        for (const { path, fragment } of expected) {
          assert.ok(said.includes(`ha-cluster:${path}`), `${path} is named in\n${said}`);
          assert.ok(
            said.replace(/\s+/g, " ").includes(fragment.replace(/\s+/g, " ")),
            `${fragment} is said in\n${said}`,
          );
        }
      }
      assert.doesNotMatch(said, /^\s+at .+:\d+:\d+\)?$/m, "no stack trace");
    });
  }
});

test("and one that has the addresses of another stack's file beside it", async () => {
  const configFile = join(folder.path, "Pulumi.copy.yaml");
  copyFileSync(join(__dirname, "..", "..", "Pulumi.dev.yaml"), configFile);
  const { code, stdout, stderr } = await stack.preview(["--config-file", configFile]);
  assert.notEqual(code, 0);
  assert.match(
    stdout + stderr,
    /ha-cluster:vips\.www\.ipv4\n\s+203\.0\.113\.180 is `vips\.www\.ipv4` of Pulumi\.dev\.yaml as well\n/,
  );
});

test("nothing was created", async () => {
  const { deployment } = JSON.parse(await stack.must(["stack", "export", "--stack", "bad"])) as {
    deployment: { resources?: unknown[] };
  };
  assert.deepEqual(deployment.resources ?? [], []);
});
