import { run } from "../exec";

/** What can be done to a machine from below. */
export interface Cloud {
  /** Pulls the plug: nothing on the machine gets to know. */
  powerOff(machine: string): Promise<void>;
  powerOn(machine: string): Promise<void>;
  /** Stops all its processors between two instructions. */
  freeze(machine: string): Promise<void>;
  thaw(machine: string): Promise<void>;
}

/**
 * Nova, asked over HTTP: a call takes some 50 ms where the command line client takes seconds. That client logs in, so that
 * every way to do so works (clouds.yaml, OS_ variables, single sign-on).
 */
export class OpenStack implements Cloud {
  private constructor(
    private readonly compute: string,
    private readonly token: string,
    private readonly ids: Map<string, string>,
  ) {}

  /**
   * @param command the command line client
   * @param environment what it needs to log in, e.g. OS_CLOUD
   */
  static async open(command: readonly string[], environment: NodeJS.ProcessEnv): Promise<OpenStack> {
    const [file, ...first] = command;
    const ask = async <T>(...args: string[]): Promise<T> =>
      JSON.parse(await run(file!, [...first, ...args, "-f", "json"], { env: environment, timeout: 60_000 })) as T;
    const [{ id: token }, { endpoints }, servers] = await Promise.all([
      ask<{ id: string }>("token", "issue"),
      ask<{ endpoints: { interface: string; url: string; region: string }[] }>("catalog", "show", "compute"),
      ask<{ ID: string; Name: string }[]>("server", "list"),
    ]);
    const region = environment.OS_REGION_NAME;
    const endpoint = endpoints.find(
      (each) => each.interface === "public" && (region === undefined || each.region === region),
    );
    if (!endpoint) throw new Error("the cloud's catalog has no public endpoint for compute");
    return new OpenStack(endpoint.url, token, new Map(servers.map(({ ID, Name }) => [Name, ID])));
  }

  /** OpenStack's stop is orderly; a hard reset is the nearest to a pulled plug: it comes back at once. */
  async powerOff(machine: string): Promise<void> {
    await this.act(machine, { reboot: { type: "HARD" } });
  }

  /** Waits until the reset is done. */
  async powerOn(machine: string): Promise<void> {
    await this.reach(machine, "ACTIVE");
  }

  async freeze(machine: string): Promise<void> {
    await this.act(machine, { pause: null });
    await this.reach(machine, "PAUSED");
  }

  async thaw(machine: string): Promise<void> {
    if ((await this.status(machine)) === "PAUSED") await this.act(machine, { unpause: null });
    await this.reach(machine, "ACTIVE");
  }

  private async reach(machine: string, status: string): Promise<void> {
    const deadline = Date.now() + 60_000;
    while ((await this.status(machine)) !== status) {
      if (Date.now() > deadline) throw new Error(`${machine} is not ${status} after 60 s`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  private async status(machine: string): Promise<string> {
    const { server } = (await this.ask(machine, "GET", "")) as { server: { status: string } };
    return server.status;
  }

  private async act(machine: string, action: object): Promise<void> {
    await this.ask(machine, "POST", "/action", action);
  }

  private async ask(machine: string, method: string, path: string, body?: object): Promise<unknown> {
    const id = this.ids.get(machine);
    if (id === undefined) throw new Error(`the cloud's project has no server called ${machine}`);
    const response = await fetch(`${this.compute}/servers/${id}${path}`, {
      method,
      headers: { "X-Auth-Token": this.token, "Content-Type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(20_000),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`Nova refuses ${method} ${path} for ${machine}: ${response.status} ${text}`);
    return text === "" ? undefined : (JSON.parse(text) as unknown);
  }
}
