import assert from "node:assert/strict";
import { address } from "./databases";
import { letServeSample } from "./apps";
import { renderGunicorn } from "../../../render/app";
import { fixture, sampleApp } from "./bundles";
import type { Machine } from "./machine";
import type { Result } from "./shell";
import type { Site } from "./site";

/** With what an SQL string, a shell and a sed expression could trip over. */
export const PASSWORD = `Pass'word"$&\\7`;

/** In an EnvironmentFile, systemd.exec(5). */
const environment = (value: string): string => `"${value.replaceAll(/["\\$`]/g, "\\$&")}"`;

export const appFiles = (sample = sampleApp()): string =>
  fixture("app-server.files", {
    DATABASE: address(211),
    SAMPLE: sample.trimEnd(),
    GUNICORN: renderGunicorn().trimEnd(),
  });

export function assertDone(result: Result): Result {
  assert.equal(result.code, 0, result.text);
  assert.ok(!result.text.includes(PASSWORD), "the password shows");
  return result;
}

/** An application server beside the databases. */
export class Application {
  private constructor(readonly machine: Machine) {}

  static async boot(site: Site): Promise<Application> {
    const machine = await site.boot("app1", ["internal"]);
    await machine.output(`ip addr add ${address(221)}/26 dev eth0`);
    return new Application(machine);
  }

  /** Its first pushes. */
  async serve(): Promise<void> {
    const secrets = fixture("app-server.secrets", { PASSWORD: environment(PASSWORD) });
    assertDone(await this.machine.push("app-server", "secrets", secrets));
    await letServeSample(this.machine);
    assertDone(await this.machine.push("app-server", "files", appFiles()));
  }

  /** A database's status service's answer, as haproxy in another machine gets it. */
  async status(host: number): Promise<string> {
    return (await this.machine.run(`curl -si --max-time 5 http://${address(host)}:9200/`)).stdout.replaceAll("\r", "");
  }

  ask(path: string, ...options: string[]): Promise<string> {
    return this.machine.output(
      `curl -s --max-time 10 -w ' %{http_code}' ${options.join(" ")} http://198.51.100.221:8000${path}`,
    );
  }
}
