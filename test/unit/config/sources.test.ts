import assert from "node:assert/strict";
import path from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { Encrypted } from "../../../config/encrypted";
import { parseStackFile, readStackFile } from "../../../config/file";
import { formatProblems } from "../../../config/problems";
import { readPulumiConfig } from "../../../config/pulumi";

describe("a stack file", () => {
  test("gives the program's keys, with secrets as sentinels at any depth", () => {
    const { raw, problems } = parseStackFile(`
encryptionsalt: v1:abc
config:
  openstack:cloud: acme
  ha-cluster:rootSecret: { secure: v1:abc }
  ha-cluster:certificates: { www: { privateKey: { secure: v1:def }, certificate: x } }
  ha-cluster:nameservers: [203.0.113.53]
`);
    assert.deepEqual(problems, []);
    assert.deepEqual(raw, {
      rootSecret: new Encrypted(),
      certificates: { www: { privateKey: new Encrypted(), certificate: "x" } },
      nameservers: ["203.0.113.53"],
    });
    assert.ok(raw["rootSecret"] instanceof Encrypted);
  });

  test("gives scalars right under a key as text, as the engine does, and others as they are", () => {
    const { raw } = parseStackFile(
      "config:\n  ha-cluster:image: 12\n  ha-cluster:customer: true\n  ha-cluster:vrrp: { advertInterval: 0.5, on: 2026-11-22 }\n",
    );
    assert.deepEqual(raw, { image: "12", customer: "true", vrrp: { advertInterval: 0.5, on: "2026-11-22" } });
  });

  test("may use anchors and merge keys", () => {
    const { raw } = parseStackFile("config:\n  ha-cluster:a: &a { x: 1 }\n  ha-cluster:b: { <<: *a, y: 2 }\n");
    assert.deepEqual(raw["b"], { x: 1, y: 2 });
  });

  test("without configuration is empty, and validate says what is missing", () => {
    for (const text of ["", "encryptionsalt: v1:abc\n", "config:\n"])
      assert.deepEqual(parseStackFile(text), { raw: {}, problems: [] });
  });

  for (const [what, text, expected] of [
    ["a list", "config: [1]\n", "has no map under `config:`"],
    ["an alias to itself", "config:\n  ha-cluster:a: &a [*a]\n", "has an alias"],
    ["an alias to nothing", "config:\n  ha-cluster:a: *nothing\n", "has an alias"],
  ] as const) {
    test(`with ${what} is refused`, () => {
      const { raw, problems } = parseStackFile(text);
      assert.deepEqual(raw, {});
      assert.equal(problems.length, 1);
      assert.ok(problems[0]!.cause.includes(expected), problems[0]!.cause);
    });
  }

  test("with a syntax error names the line, and quotes nothing of the file", () => {
    const { problems } = parseStackFile('config:\n  ha-cluster:image: debian\n  ha-cluster:rootSecret: "hunter2\n');
    assert.equal(problems.length, 1);
    assert.match(problems[0]!.path, /^\(line \d\)$/);
    assert.ok(!JSON.stringify(problems).includes("hunter2"));
  });

  test("that does not exist is a problem, not an exception", () => {
    const { problems } = readStackFile(path.join(__dirname, "no-such-file.yaml"));
    assert.match(
      formatProblems(problems, "Pulumi.x.yaml"),
      /^Pulumi\.x\.yaml: 1 problem, nothing was changed\n {2}\(stack file\)\n {4}can't be read: ENOENT\n/,
    );
  });
});

describe("the engine's configuration", () => {
  const before = pulumi.runtime.allConfig() as Record<string, string>;

  // The values are what engine 3.259.0 hands over for the YAML in the comments.
  beforeEach(() => {
    pulumi.runtime.setAllConfig({
      "openstack:cloud": "acme",
      "ha-cluster:customer": "acme", // acme
      "ha-cluster:image": "12", // 12
      "ha-cluster:nameservers": '["203.0.113.53"]', // [203.0.113.53]
      "ha-cluster:vrrp": '{"advertInterval":0.5}', // { advertInterval: 0.5 }
      "ha-cluster:vps": "{}", // {}, misspelt
      "ha-cluster:rootSecret": "[no JSON", // "[no JSON"
    });
  });

  afterEach(() => {
    pulumi.runtime.setAllConfig(before);
  });

  test("is read whole, maps and lists as such, the rest as text", () => {
    assert.deepEqual(readPulumiConfig(), {
      customer: "acme",
      image: "12",
      nameservers: ["203.0.113.53"],
      vrrp: { advertInterval: 0.5 },
      vps: {},
      rootSecret: "[no JSON",
    });
  });
});
