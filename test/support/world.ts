import assert from "node:assert/strict";
import { type Change, changeOf, NOTHING_MEANT } from "../../change/change";
import { deployed, type Deployed, type Resource } from "../../change/deployed";
import { bundlesOf, filesBetween } from "../../change/files";
import { begin, type Begun } from "../../change/rollout";
import { refusals } from "../../change/refuse";
import { plan, type Plan } from "../../plan/plan";
import { bundle } from "../../render/bundle";
import { SECRETS } from "./changes";
import { dualStack, specOf } from "./specs";
import { stateOf } from "./state";

const COMMAND = "command:remote:Command";

/** What both sides have to change for. */
export interface Setting {
  port: number;
  databasePort: number;
  internalVip: string;
  routerIds: { ipv4: number; ipv6: number; internal: number };
  primary: "www" | "api";
}

export const BUILT: Setting = {
  port: 8080,
  databasePort: 3306,
  internalVip: "198.51.100.1",
  routerIds: { ipv4: 51, ipv6: 52, internal: 53 },
  primary: "www",
};

export function planned({ port, databasePort, internalVip, routerIds, primary }: Setting): Plan {
  const vip = (name: "www" | "api", number: number): object => ({
    ipv4: `203.0.113.10${number}`,
    ipv6: `2001:db8:45:67bb::${number}`,
    ...(primary === name && { primary: true }),
  });
  return plan(
    specOf(
      dualStack({
        appServers: { app: { port } },
        database: { port: databasePort },
        internal: { cidr: "198.51.100.0/24", vip: internalVip },
        vrrp: { routerIds },
        vips: { www: vip("www", 1), api: vip("api", 2) },
      }),
    ),
  );
}

/** A Command's text; what is compared is all of it. */
interface Said {
  create: string;
  stdin?: string;
}

/** Whether the machine has what was sent when a run is cut: it was killed, or lost its connection. */
export type Cut = "late" | "early";

/** The state of the stack, and what is on the machines: what was last pushed to each. */
export class World {
  private readonly others: Resource[];
  private readonly commands = new Map<string, Said>();
  private readonly machines = new Map<string, string>();
  /** What runs noted of themselves. */
  private begun: Begun = { number: 1, left: {}, steps: [], made: [] };
  private ended = 1;

  constructor(private readonly built: Plan) {
    const all = stateOf(built);
    this.others = all.filter(({ urn }) => !urn.endsWith("-config"));
    for (const [id, stdin] of Object.entries(bundlesOf(built, "sample"))) {
      this.commands.set(`${id}-config`, { create: "push", stdin });
      this.machines.set(id, stdin);
    }
    this.everybodyIsAnswered("when it is built");
  }

  change(now: Plan): Change {
    return changeOf(now, this.standing());
  }

  private standing(): Deployed {
    const commands = [...this.commands].map(([name, said]) => resourceOf(name, said));
    const noted = { Cluster: this.begun, Protection: this.ended };
    const components = Object.entries(noted).map(([name, rollout]) => ({
      urn: `urn:pulumi:dev::ha-cluster::x::${name}`,
      type: `ha-cluster:index:${name}`,
      outputs: { rollout },
    }));
    return deployed([...this.others, ...components, ...commands]);
  }

  /**
   * As components/ do it; see the order in turns.test.ts. It ends after so many steps; if it is cut, in the last one, of which
   * the state knows nothing, and whose push the machine may have brought to its end or not.
   *
   * @returns how many steps there were, or nothing where it was refused
   */
  up(setting: Setting, { steps: most = Infinity, cut }: { steps?: number; cut?: Cut } = {}): number | undefined {
    const now = planned(setting);
    const standing = this.standing();
    const change = changeOf(now, standing);
    if (refusals(now, NOTHING_MEANT, SECRETS, standing, change).length > 0) return undefined;
    this.begun = begin(now, change, standing, "sample");
    const texts = bundlesOf(now, "sample");
    const steps: [string, string | undefined, Said][] = [];
    for (const { planned: node } of change.kept) {
      const move = change.moves[node.id];
      if (move?.due !== true) continue;
      const stdin = bundle(filesBetween(now, node, move, "sample"));
      steps.push([`${node.id}-between`, node.id, { create: `push # ${move.words}`, stdin }]);
    }
    const push = (id: string): void => {
      const after = change.after[id];
      steps.push([
        `${id}-config`,
        id,
        { create: after === undefined ? "push" : `push # after: ${after}`, stdin: texts[id]! },
      ]);
    };
    for (const { id } of [...now.loadBalancers, ...now.databases]) push(id);
    if (change.pause?.due === true) steps.push(["ports-pause", undefined, { create: `sleep # ${change.pause.words}` }]);
    for (const { id } of now.appServers) push(id);
    const due = steps.filter(([name, , said]) => JSON.stringify(said) !== JSON.stringify(this.commands.get(name)));
    for (const [index, [name, id, said]] of due.entries()) {
      const last = index + 1 >= most;
      if (id !== undefined && !(last && cut === "early")) this.machines.set(id, said.stdin!);
      this.everybodyIsAnswered(`on the way to ${JSON.stringify(setting)}, after ${name}`);
      if (!(last && cut)) this.commands.set(name, said);
      if (last) return due.length;
    }
    this.ended = this.begun.number;
    return due.length;
  }

  private everybodyIsAnswered(when: string): void {
    const balancers = this.built.loadBalancers.map(({ id }) => ({ id, text: this.machines.get(id)! }));
    for (const { id, text } of balancers) {
      this.applicationsAnswer(id, text, when);
      const vips = [...text.matchAll(/^eth1 ([0-9.]+)\/32$/gm)].map(([, address]) => address);
      const listens = [.../^frontend database-in\n((?: .*\n)*)/m.exec(text)![1]!.matchAll(/bind (\S+)/g)].map(
        ([, address]) => address,
      );
      for (const { id: server } of [...this.built.databases, ...this.built.appServers]) {
        const own = this.machines.get(server)!;
        const [, gateway] = /^eth0 [0-9./]+ ([0-9.]+)$/m.exec(own)!;
        assert.ok(vips.includes(gateway), `${when}: ${id} is ${server}'s gateway ${gateway!}, not ${vips.join(" ")}`);
        const [host, port] = ["HOST", "PORT"].map((key) => new RegExp(`^DATABASE_${key}=(.*)$`, "m").exec(own)?.[1]);
        if (host === undefined) continue;
        assert.ok(
          listens.includes(`${host}:${port!}`),
          `${when}: ${id} has the database at ${host}:${port!} for ${server}`,
        );
        assert.ok(vips.includes(host), when);
      }
    }
    for (const a of balancers) {
      for (const b of balancers) assert.ok(hears(a.text, b.text), `${when}: ${a.id} hears ${b.id}`);
    }
  }

  /** Whatever port a load balancer asks an application at, somebody answers there. */
  private applicationsAnswer(id: string, text: string, when: string): void {
    for (const [, address, port] of text.matchAll(/^ +server \S+-app-\S+ ([0-9.]+):(\d+)/gm)) {
      const app = this.built.appServers.find(({ internal }) => internal === address)!;
      const own = this.machines.get(app.id)!;
      const listens = /^LISTEN_PORT=(\d+)$/m.exec(own)![1];
      const redirected = [...own.matchAll(/tcp dport (\d+) redirect to :(\d+)/g)]
        .filter(([, , to]) => to === listens)
        .map(([, from]) => from);
      assert.ok([listens, ...redirected].includes(port), `${when}: ${id} asks ${app.id} at ${port!}`);
    }
  }

  settledOn(setting: Setting): void {
    const texts = bundlesOf(planned(setting), "sample");
    for (const [id, text] of this.machines) assert.equal(text, texts[id], id);
  }
}

/** Some instance of both has the same id and the same addresses in its adverts. */
function hears(a: string, b: string): boolean {
  const said = (text: string): string[] =>
    [
      ...text.matchAll(/^vrrp_instance (\S+) \{\n[^}]*?virtual_router_id (\d+)[^]*?virtual_ipaddress \{([^}]*)\}/gm),
    ].map(([, name, id, addresses]) => `${name!} ${id!} ${addresses!}`);
  return said(a).some((each) => said(b).includes(each));
}

function resourceOf(name: string, said: Said): Resource {
  return { urn: `urn:pulumi:dev::ha-cluster::x$${COMMAND}::${name}`, type: COMMAND, inputs: { ...said } };
}
