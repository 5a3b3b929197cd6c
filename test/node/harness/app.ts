import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import type { Site } from "./site";
import { must } from "./shell";

export const APP_ADDRESS = "198.51.100.210";

/** An application server on the internal network whose answers take their time; see slow-app.ts. */
export class App {
  private constructor(private readonly child: ChildProcess) {}

  static async on(site: Site, at = APP_ADDRESS): Promise<App> {
    const namespace = site.addNamespace("app", ["internal"]);
    must("ip", "-n", namespace, "address", "add", `${at}/26`, "dev", "eth0");
    const script = ["--import", "tsx", join(__dirname, "slow-app.ts"), at];
    // Its input ends with ours: it never outlives the tests.
    const child = spawn("ip", ["netns", "exec", namespace, process.execPath, ...script], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    return new App(child);
  }

  stop(): void {
    this.child.stdin!.end();
  }
}
