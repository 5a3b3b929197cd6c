import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import type { Client } from "./load-balancers";

/** An upload that is under way until it is told to end; see uploader.ts. */
export class Upload {
  private output = "";
  private readonly ended: Promise<unknown>;

  private constructor(private readonly child: ChildProcess) {
    child.stdout!.setEncoding("utf8").on("data", (text: string) => (this.output += text));
    this.ended = new Promise((resolve) => child.once("close", resolve));
  }

  static start(client: Client, url: string, megabytes: number): Upload {
    const script = ["--import", "tsx", join(__dirname, "uploader.ts"), url, `${megabytes}`];
    const [file, args] = client.inside(process.execPath, ...script);
    // Its input ends with ours: it never outlives the tests.
    return new Upload(spawn(file, args, { stdio: ["pipe", "pipe", "inherit"] }));
  }

  /** Lets it come to its end; what was sent, and what the server got. */
  async finish(): Promise<{ sent: string; received: string }> {
    this.child.stdin!.end();
    await this.ended;
    const [sent, received] = this.output.trim().split("\n");
    return { sent: sent ?? "", received: received ?? "" };
  }
}
