import assert from "node:assert/strict";
import { type Change, changeOf, NOTHING_MEANT } from "../../change/change";
import { deployed, type Deployed, type Resource } from "../../change/deployed";
import { COMMAND } from "../../change/commands";
import { bundlesOf, filesBetween } from "../../change/files";
import { changesAddresses } from "../../change/moves";
import { begin, type Begun } from "../../change/rollout";
import { refusals } from "../../change/refuse";
import type { Plan, PlannedLoadBalancer } from "../../plan/plan";
import { bundle } from "../../render/bundle";
import { SECRETS } from "./changes";
import { BUILT, planned, scriptsOf, type Setting } from "./setting";
import { stateOf } from "./state";

/** A Command's text; what is compared is all of it. */
interface Said {
  create: string;
  stdin?: string;
}

/** What Neutron lets a load balancer's port send from, and what of that the state says. */
interface Port {
  says: string[];
  allows: Set<string>;
}

interface Step {
  name: string;
  /** Of the server that is told something by way of this address. */
  id?: string;
  host?: string | undefined;
  said?: Said;
  /** Of the load balancer whose port gets what is planned. */
  port?: PlannedLoadBalancer;
}

/** Whether the machine has what was sent when a run is cut: it was killed, or lost its connection. */
export type Cut = "late" | "early";

/** The state of the stack, and what is on the machines: the scripts and files that were last pushed to each. */
export class World {
  private readonly others: Resource[];
  private readonly commands = new Map<string, Said>();
  private readonly machines = new Map<string, string>();
  private readonly scripts = new Map<string, string>();
  private readonly ports = new Map<string, Port>();
  /** What runs noted of themselves. */
  private begun: Begun = { number: 1, left: {}, steps: [], made: [] };
  private ended = 1;

  constructor(private readonly built: Plan) {
    const all = stateOf(built);
    this.others = all.filter(({ urn }) => !/-(scripts|config)$/.test(urn));
    const scripts = { create: `sh # as ${built.sshUser}`, stdin: scriptsOf(BUILT) };
    for (const [id, stdin] of Object.entries(bundlesOf(built, "sample"))) {
      this.commands.set(`${id}-scripts`, scripts).set(`${id}-config`, { create: "push", stdin });
      this.scripts.set(id, scripts.stdin);
      this.machines.set(id, stdin);
    }
    for (const node of built.loadBalancers) {
      this.ports.set(node.id, { says: ownAddresses(node), allows: new Set(allowed(node)) });
    }
    this.everybodyIsAnswered("when it is built");
  }

  change(now: Plan): Change {
    return changeOf(now, this.standing());
  }

  private standing(): Deployed {
    const commands = [...this.commands].map(([name, said]) => resourceOf(name, said));
    const others = this.others.map((each) => {
      const port = this.ports.get(/Port::(.*)-external$/.exec(each.urn)?.[1] ?? "");
      return port ? { ...each, outputs: { ...each.outputs, allFixedIps: port.says } } : each;
    });
    const noted = { Cluster: this.begun, Protection: this.ended };
    const components = Object.entries(noted).map(([name, rollout]) => ({
      urn: `urn:pulumi:dev::ha-cluster::x::${name}`,
      type: `ha-cluster:index:${name}`,
      outputs: { rollout },
    }));
    return deployed([...others, ...components, ...commands]);
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
    const steps: Step[] = [];
    for (const { planned: node, standing: server } of change.kept) {
      const move = change.moves[node.id];
      if (node.role === "load-balancer" && changesAddresses(move)) this.addAddresses(node);
      if (move?.due !== true) continue;
      const stdin = bundle(filesBetween(now, node, move, "sample"));
      const said = { create: `push # ${move.words}`, stdin };
      steps.push({ name: `${node.id}-between`, id: node.id, host: server.way, said });
    }
    const afterwards = (after: string | undefined): string => (after === undefined ? "" : ` # after: ${after}`);
    const push = (id: string, host?: string): void => {
      const scripts = `sh${afterwards(change.othersAfter.scripts[id])} # as ${now.sshUser}`;
      steps.push({ name: `${id}-scripts`, id, host, said: { create: scripts, stdin: scriptsOf(setting) } });
      const config = `push${afterwards(change.after[id])}`;
      steps.push({ name: `${id}-config`, id, host, said: { create: config, stdin: texts[id]! } });
    };
    for (const node of now.loadBalancers) {
      steps.push({ name: `${node.id}-external`, port: node });
      push(node.id, node.external.ipv4);
    }
    for (const { id } of now.databases) push(id);
    if (change.pause?.due === true)
      steps.push({ name: "ports-pause", said: { create: `sleep # ${change.pause.words}` } });
    for (const { id } of now.appServers) push(id);
    const due = steps.filter(({ name, said, port }) =>
      port
        ? ownAddresses(port).join() !== this.ports.get(port.id)!.says.join()
        : JSON.stringify(said) !== JSON.stringify(this.commands.get(name)),
    );
    for (const [index, step] of due.entries()) {
      const last = index + 1 >= most;
      const when = `on the way to ${JSON.stringify(setting)}, ${step.name}`;
      if (step.host !== undefined) this.isReached(step.id!, step.host, when);
      if (step.name.endsWith("-config")) assert.equal(this.scripts.get(step.id!), scriptsOf(setting), when);
      if (!(last && cut === "early")) this.takes(step);
      this.everybodyIsAnswered(when);
      if (!(last && cut)) this.isNoted(step);
      if (last) return due.length;
    }
    this.ended = this.begun.number;
    return due.length;
  }

  /** As components/machines/addresses.ts does it. */
  private addAddresses(node: PlannedLoadBalancer): void {
    const { says, allows } = this.ports.get(node.id)!;
    for (const each of [...allowed(node), ...says]) allows.add(each);
  }

  private takes({ name, id, said, port }: Step): void {
    if (id !== undefined) (name.endsWith("-scripts") ? this.scripts : this.machines).set(id, said!.stdin!);
    if (port) this.ports.get(port.id)!.allows = new Set(allowed(port));
  }

  private isNoted({ name, said, port }: Step): void {
    if (said) this.commands.set(name, said);
    if (port) this.ports.get(port.id)!.says = ownAddresses(port);
  }

  private isReached(id: string, host: string, when: string): void {
    assert.ok(this.uses(id, host), `${when}: ${id} is reached at ${host}`);
  }

  /** Whether it has this external address, and may send from it. */
  private uses(id: string, address: string): boolean {
    const has = new RegExp(`^eth0 ${address.replaceAll(".", "\\.")}/\\d+ `, "m").test(this.machines.get(id)!);
    return has && this.ports.get(id)!.allows.has(address);
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
      for (const b of balancers) assert.ok(a === b || this.hears(a.id, b.id), `${when}: ${a.id} hears ${b.id}`);
      this.seesItsNeighbours(a.id, when);
    }
  }

  /** Some instance of both has the same id and the same addresses in its adverts, and these get through. */
  private hears(a: string, b: string): boolean {
    const [own, other] = [a, b].map((id) => instancesIn(this.machines.get(id)!)) as [Instance[], Instance[]];
    const [, senders] = /iifname "eth0" ip saddr \{([^}]*)\} meta l4proto vrrp/.exec(this.machines.get(a)!)!;
    const [, senders6] = /iifname "eth0" ip6 saddr \{([^}]*)\} meta l4proto vrrp/.exec(this.machines.get(a)!)!;
    const accepts = `${senders!},${senders6!}`.split(/[, ]+/);
    return own.some(({ name, said }) => {
      const found = other.find((each) => each.name === name);
      if (found?.said !== said) return false;
      if (name === "INTERN") return true;
      return (
        accepts.includes(found.source) && this.uses(b, found.source) && found.peers.some((each) => this.uses(a, each))
      );
    });
  }

  /** By each network, whatever the gateway: else it would hand its VIPs over as one that is cut off. */
  private seesItsNeighbours(id: string, when: string): void {
    const text = this.machines.get(id)!;
    const lines = [...text.matchAll(/^(external-ipv[46]) (\S+) \S+ (.+)$/gm)];
    for (const network of ["external-ipv4", "external-ipv6"]) {
      const answered = lines.some(
        ([, name, source, peers]) =>
          name === network &&
          this.uses(id, source!) &&
          peers!.split(" ").some((peer) => this.built.loadBalancers.some((each) => this.uses(each.id, peer))),
      );
      assert.ok(answered, `${when}: somebody answers ${id} by ${network}`);
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
    for (const [id, text] of this.scripts) assert.equal(text, scriptsOf(setting), id);
  }
}

interface Instance {
  name: string;
  said: string;
  source: string;
  peers: string[];
}

function instancesIn(text: string): Instance[] {
  return [
    ...text.matchAll(
      /^vrrp_instance (\S+) \{\n[^}]*?virtual_router_id (\d+)[^]*?unicast_src_ip (\S+)\s+unicast_peer \{([^}]*)\}[^]*?virtual_ipaddress \{([^}]*)\}/gm,
    ),
  ].map(([, name, id, source, peers, addresses]) => ({
    name: name!,
    said: `${id!} ${addresses!}`,
    source: source!,
    peers: peers!.trim().split(/\s+/),
  }));
}

function ownAddresses({ external }: PlannedLoadBalancer): string[] {
  return [external.ipv4, external.ipv6!];
}

function allowed(node: PlannedLoadBalancer): string[] {
  return [...ownAddresses(node), ...node.externalPairs];
}

function resourceOf(name: string, said: Said): Resource {
  const triggers = [`id-of-${name.replace(/-[a-z]+$/, "")}`];
  return { urn: `urn:pulumi:dev::ha-cluster::x$${COMMAND}::${name}`, type: COMMAND, inputs: { ...said, triggers } };
}
