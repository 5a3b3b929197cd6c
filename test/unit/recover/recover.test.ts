import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { deployed } from "../../../change/deployed";
import { decide, neverRan, saidOfAll, strangers } from "../../../recover/decide";
import type { Inventory } from "../../../recover/inventory";
import { KINDS } from "../../../recover/match";
import { inTheCloud } from "../../../recover/settle";
import { type Deployment, type Resource, withAdopted } from "../../../recover/state";
import { cutShort, type Fate, idsIn, nothingThere, urnOf, wanted } from "./project";

const INSTANCE = "openstack:compute/instance:Instance";

const fates = (servers: number, ...of: Fate[]): fc.Arbitrary<Fate[]> =>
  fc.array(fc.constantFrom(...of), { minLength: wanted(servers).length, maxLength: wanted(servers).length });

/** What Pulumi asks of a state before it takes it, and what the next run needs. */
function isSound({ resources = [] }: Deployment): void {
  const seen = new Set<string>();
  for (const { urn, parent, provider, dependencies = [] } of resources) {
    assert.ok(!seen.has(urn), `${urn} stands there twice`);
    for (const each of [parent, provider?.replace(/::id-of-provider$/, ""), ...dependencies])
      assert.ok(each === undefined || seen.has(each), `${urn} comes before ${each}`);
    seen.add(urn);
  }
}

function cloudHas(cloud: Inventory, urn: string): boolean {
  return idsIn(cloud).includes(`${urn.split("::").at(-1)!}-id`);
}

function cloudIds({ resources = [] }: Deployment): string[] {
  return resources.flatMap(({ type, id }) => (type in KINDS && id !== undefined ? [id] : [])).sort();
}

describe("a run that was cut", () => {
  test("wherever it was: the state has what the cloud has, once, and nothing is deleted", () => {
    fc.assert(
      fc.property(fates(3, "done", "made", "asked", "not begun", "remade"), (drawn) => {
        const { deployment, cloud, ids } = cutShort(3, (_, index) => drawn[index]!);
        const { deployment: after, decision } = inTheCloud(deployment, cloud);
        isSound(after);
        assert.deepEqual(cloudIds(after), idsIn(cloud));
        for (const [name, id] of ids)
          assert.equal(
            after
              .resources!.find((each) => each.id === id)!
              .urn.split("::")
              .at(-1),
            name,
          );
        assert.deepEqual([decision.unclear, decision.missing], [[], []]);
        assert.doesNotMatch(JSON.stringify(after), /-before"/);
        assert.deepEqual(decide(after, cloud).adopted, []);
        assert.deepEqual(strangers(after, cloud), []);
      }),
      { numRuns: 300 },
    );
  });

  test("is told in words, also of what it had only asked for", () => {
    const fate: Record<string, Fate> = { "app-1-internal": "made", "app-443": "asked", "group-app": "remade" };
    const { deployment, cloud } = cutShort(1, (name) => fate[name] ?? "done");
    assert.deepEqual(saidOfAll(inTheCloud(deployment, cloud).decision), [
      "port app-1-internal: it is there (app-1-internal-id), the state gets it",
      "server group group-app: the state has group-app-before, which is gone, and gets group-app-id",
      "begun, and not there: app-443",
    ]);
  });

  test("of a server nothing is deleted but one that Nova gave up before it ran, and that says whose it is", () => {
    const { cloud } = cutShort(1, () => "done");
    const server = { ...cloud.servers[0]!, status: "ERROR", "OS-SRV-USG:launched_at": null };
    assert.ok(neverRan(server));
    for (const other of [{ status: "SHUTOFF" }, { "OS-SRV-USG:launched_at": "then" }, { metadata: {} }])
      assert.ok(!neverRan({ ...server, ...other }), JSON.stringify(other));
  });

  test("of two servers of a name it takes the one with the ports, and of two without it takes none", () => {
    const { deployment, cloud } = cutShort(1, (name) => (name === "app-1" ? "made" : "done"));
    const other = { ...cloud.servers[0]!, id: "other" };
    cloud.servers.unshift(other);
    assert.equal(decide(deployment, cloud).adopted[0]!.id, "app-1-id");
    cloud.ports[0]!.device_id = "";
    const { adopted, unclear } = decide(deployment, cloud);
    assert.deepEqual([adopted, unclear[0]!.ids], [[], ["other", "app-1-id"]]);
    // One that says that it is another's, or says nothing, is not meant.
    for (const metadata of [{ "ha-cluster-customer": "dev (two)" }, {} as Record<string, string>]) {
      cloud.servers[0] = { ...other, metadata };
      assert.equal(decide(deployment, cloud).adopted[0]!.id, "app-1-id");
    }
    cloud.servers[0] = other;
    // Nor one that has other ports.
    cloud.ports.push({ ...cloud.ports[0]!, id: "theirs", device_id: "other" });
    cloud.servers.pop();
    assert.deepEqual(decide(deployment, cloud).adopted, []);
  });

  test("what is others' is nobody's: another name, network, address, key or rule", () => {
    const { deployment, cloud } = cutShort(1, () => "made");
    const found = (): string[] => decide(deployment, cloud).adopted.map(({ id }) => id);
    assert.deepEqual(found(), ["internal-id", "app-id", "group-app-id"]);
    for (const description of ["", "made by hand", "ha-cluster dev (two)"]) {
      cloud.networks[0]!.description = description;
      cloud.groups[0]!.description = description;
      assert.deepEqual(found(), ["group-app-id"], description);
    }
    const { deployment: all, cloud: full } = cutShort(1, (name) =>
      /-internal$|^app-(80|443)$/.test(name) ? "made" : "done",
    );
    for (const change of [
      () => (full.ports[0]!.network_id = "another"),
      () => (full.ports[0]!.fixed_ips = [{ ip_address: "198.51.100.99" }]),
      () => (full.ports[0]!.name = "another"),
    ]) {
      const before = structuredClone(full.ports[0]!);
      change();
      assert.ok(!decide(all, full).adopted.some(({ id }) => id === "app-1-internal-id"));
      full.ports[0] = before;
    }
  });

  test("a subnet of that range in somebody else's network is not its own", () => {
    const { deployment, cloud } = cutShort(0, (name) => (name === "internal-ipv4" ? "made" : "done"));
    cloud.subnets.unshift({ ...cloud.subnets[0]!, id: "theirs", network_id: "another" });
    assert.deepEqual(
      decide(deployment, cloud).adopted.map(({ id }) => id),
      ["internal-ipv4-id"],
    );
    cloud.subnets.pop();
    assert.deepEqual(decide(deployment, cloud).adopted, []);
  });

  test("what one resource has no other one gets", () => {
    const { deployment, cloud } = cutShort(1, () => "done");
    const server = deployment.resources!.find(({ type }) => type === INSTANCE)!;
    const resource: Resource = { ...server, urn: urnOf(INSTANCE, "web-1") };
    delete resource.id;
    deployment.pending_operations = [{ type: "creating", resource }];
    const { adopted, forgotten } = decide(deployment, cloud);
    assert.deepEqual([adopted, forgotten], [[], [resource.urn]]);
  });

  test("a server between its delete and its create is whole again, and one that is about to be deleted is not looked for", () => {
    const { deployment, cloud } = cutShort(1, (name) => (name === "app-1" ? "remade" : "done"));
    const server = deployment.resources!.find(({ type }) => type === INSTANCE)!;
    server.pendingReplacement = true;
    deployment.pending_operations = [{ type: "creating", resource: { ...server } }];
    deployment.resources!.push({ ...server, id: "yet-another", delete: true });
    const { deployment: after, decision } = inTheCloud(deployment, cloud);
    const [whole, old] = after.resources!.filter(({ type }) => type === INSTANCE);
    assert.deepEqual([whole!.id, "pendingReplacement" in whole!, old!.id], ["app-1-id", false, "yet-another"]);
    assert.equal(decision.adopted.length, 1);
    assert.deepEqual([decision.missing, decision.forgotten], [[], []]);
  });

  test("rules are known again by all that they say, however Neutron writes it", () => {
    const { deployment, cloud } = cutShort(0, (name) => (name === "app-80" ? "made" : "done"));
    const found = (): string[] => decide(deployment, cloud).adopted.map(({ id }) => id);
    assert.deepEqual(found(), ["app-80-id"]);
    const rule = cloud.rules.find(({ id }) => id === "app-80-id")!;
    for (const other of [
      ...[
        { direction: "egress" },
        { ethertype: "IPv4" },
        { protocol: "udp" },
        { protocol: null },
        { port_range_min: 79 },
      ],
      ...[{ port_range_max: null }, { remote_ip_prefix: "2001:db8:45::/48" }, { remote_ip_prefix: null }],
      ...[{ remote_group_id: "app-id" }, { security_group_id: "another" }],
    ]) {
      const before = { ...rule };
      Object.assign(rule, other);
      assert.deepEqual(found(), [], JSON.stringify(other));
      Object.assign(rule, before);
    }
  });

  test("key pairs by name and key", () => {
    const resource: Resource = {
      ...{ urn: urnOf("openstack:compute/keypair:Keypair", "keypair"), type: "openstack:compute/keypair:Keypair" },
      inputs: { name: "dev", publicKey: "ssh-ed25519 AAAA" },
    };
    const deployment = { resources: [], pending_operations: [{ type: "creating", resource }] };
    const cloud = { ...nothingThere(), keyPairs: [{ name: "dev", public_key: "ssh-ed25519 AAAA\n" }] };
    assert.equal(decide(deployment, cloud).adopted[0]!.id, "dev");
    cloud.keyPairs[0]!.public_key = "ssh-ed25519 BBBB";
    assert.deepEqual(decide(deployment, cloud).adopted, []);
    // What another operator made is not seen here, and not gone.
    const made = { resources: [{ ...resource, id: "dev" }] };
    assert.deepEqual(decide(made, nothingThere()), { adopted: [], unclear: [], forgotten: [], missing: [] });
  });

  test("pushes that were begun, and updates, are none of the cloud's", () => {
    const { deployment, cloud } = cutShort(1, () => "done");
    const command: Resource = { urn: urnOf("command:remote:Command", "app-1-config"), type: "command:remote:Command" };
    const [server] = deployment.resources!.filter(({ type }) => type === INSTANCE);
    deployment.pending_operations = [
      { type: "creating", resource: command },
      { type: "updating", resource: server! },
      // Of a creation that a later run has done all the same.
      { type: "creating", resource: server! },
      { type: "reading", resource: { ...server!, urn: urnOf(INSTANCE, "read") } },
    ];
    deployment.resources = deployment.resources!.filter((each) => each !== server);
    deployment.resources.push(server!);
    cloud.servers.push({ ...cloud.servers[0]!, id: "free" });
    const { adopted, forgotten } = decide(deployment, cloud);
    assert.deepEqual([adopted, forgotten], [[], []]);
  });
});

test("a run knows what was begun before it, and not what is there by now or was a push", () => {
  const fate: Record<string, Fate> = { "app-1-internal": "made", "group-app": "asked" };
  const { deployment } = cutShort(1, (name) => fate[name] ?? "done");
  const pending = deployment.pending_operations!;
  const resources = deployment.resources!;
  const begun = (): string[] => deployed(resources, pending).begun;
  const command: Resource = { urn: urnOf("command:remote:Command", "app-1-config"), type: "command:remote:Command" };
  pending.push({ type: "creating", resource: command }, { type: "updating", resource: resources.at(-1)! });
  pending.push({ type: "reading", resource: { ...pending[0]!.resource, urn: urnOf(INSTANCE, "read") } });
  assert.deepEqual(begun(), ["app-1-internal", "group-app"]);
  const { resource } = pending[0]!;
  resources.push({ ...resource, id: "new" });
  assert.equal(begun().length, 1);
  for (const half of [{ delete: true }, { pendingReplacement: true }]) {
    resources[resources.length - 1] = { ...resource, id: "old", ...half };
    assert.equal(begun().length, 2, JSON.stringify(half));
  }
});

describe("a state that is older than the cloud", () => {
  test("learns of what it never had from what the next run would make, with the parents that it lacks", () => {
    fc.assert(
      fc.property(fates(2, "done", "made"), (drawn) => {
        const { deployment, cloud, resources } = cutShort(2, (_, index) => drawn[index]!);
        const component: Resource = {
          urn: urnOf("ha-cluster:index:AppServer", "app"),
          type: "ha-cluster:index:AppServer",
          parent: deployment.resources![0]!.urn,
        };
        let after: Deployment = { ...deployment, pending_operations: [] };
        const last = after.resources!.at(-1)!;
        // Somebody there depends on all that is planned, as what stands last does.
        const all = resources.filter((_, index) => index < wanted(2).length).map(({ urn }) => urn);
        const there = new Set(after.resources!.map(({ urn }) => urn));
        const made = all.filter((urn) => !there.has(urn) && cloudHas(cloud, urn));
        const dependent: Resource = {
          urn: "urn:last",
          type: "ha-cluster:index:Protection",
          dependencies: [last.urn, ...made],
        };
        after.resources!.push(dependent);
        const elsewhere = { dependencies: ["urn:a-push-of-the-plan"] };
        const planned = [component, ...resources.map((each) => ({ ...each, ...elsewhere, parent: component.urn }))];
        for (let round = 0; round < 4; round++) {
          const { adopted } = decide(after, cloud, planned);
          after = withAdopted(after, adopted, planned);
        }
        isSound(after);
        assert.deepEqual(cloudIds(after), idsIn(cloud));
      }),
    );
  });

  test("keeps what its pushes say of the server that they went to: the new one gets them anew", () => {
    const { deployment, cloud } = cutShort(1, (name) => (name === "app-1" ? "remade" : "done"));
    const command: Resource = {
      ...{ urn: urnOf("command:remote:Command", "app-1-config"), type: "command:remote:Command", id: "c" },
      inputs: { triggers: ["app-1-before"] },
    };
    deployment.resources!.push(command);
    const { deployment: after } = inTheCloud(deployment, cloud);
    assert.deepEqual(after.resources!.find(({ urn }) => urn === command.urn)!.inputs, { triggers: ["app-1-before"] });
    assert.equal(after.resources!.find(({ type }) => type === INSTANCE)!.id, "app-1-id");
  });

  test("names what is gone for good, and what carries the customer's mark and no state explains", () => {
    const { deployment, cloud } = cutShort(2, () => "done");
    cloud.servers.shift();
    const stranger = { description: "ha-cluster dev", network_id: "n", device_id: "", fixed_ips: [] };
    cloud.ports.push({ id: "p", name: "who-knows", ...stranger });
    cloud.ports.push({ id: "q", name: "another-customer's", ...stranger, description: "ha-cluster dev-two" });
    cloud.groups.push({ id: "g", name: "old", description: "ha-cluster dev: old" });
    cloud.servers.push({ id: "s", name: "x", status: "ACTIVE", metadata: { "ha-cluster-customer": "dev" } });
    cloud.servers.push({ id: "t", name: "y", status: "ACTIVE", metadata: {} });
    cloud.servers.push({ id: "u", name: "z", status: "ACTIVE", metadata: { "ha-cluster-customer": "dev-two" } });
    const { decision, deployment: after } = inTheCloud(deployment, cloud);
    assert.deepEqual(decision.missing, [urnOf(INSTANCE, "app-1")]);
    assert.deepEqual(strangers(after, cloud), ["server x (s)", "port who-knows (p)", "security group old (g)"]);
  });
});
