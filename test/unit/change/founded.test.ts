import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deployed, type Resource } from "../../../change/deployed";
import { plan } from "../../../plan/plan";
import { dualStack, specOf } from "../../support/specs";
import { stateOf } from "../../support/state";

const GROUP = { perDatacenter: 1 };
const hyphens = dualStack({
  services: { web: { http: 80, servers: "app" } },
  datacenters: { dc1: {}, "b-dc1": { availabilityZone: "dc2" }, dc3: {} },
  appServers: { app: GROUP, web: GROUP },
});

describe("groups that were founded, and whose servers take their release from each other for ever", () => {
  const groups = (state: Resource[]): string[] => deployed(state).foundedGroups;
  const all = stateOf(plan(specOf(hyphens)));
  const config = (id: string): Resource => all.find(({ urn }) => urn.endsWith(`::${id}-config`))!;
  /** As Pulumi has it: below the component that it belongs to. */
  const pushed = (id: string, component = "AppServer"): Resource => ({
    ...config(id),
    urn: `urn:pulumi:dev::ha-cluster::ha-cluster:index:Cluster$ha-cluster:index:${component}$command:remote:Command::${id}-config`,
  });

  test("none before the first push", () => {
    assert.deepEqual(groups([]), []);
    assert.deepEqual(groups(all.filter(({ urn }) => !urn.endsWith("-config"))), []);
  });

  test("by any server that was pushed to, even if its machine is gone; hyphens deceive nobody", () => {
    assert.deepEqual(groups([pushed("app-b-dc1-1")]), ["app"]);
    assert.deepEqual(groups([pushed("web-dc3-1"), pushed("app-dc1-1")]), ["app", "web"]);
    assert.deepEqual(groups([pushed("web-dc3-1"), pushed("db-dc3", "DatabaseServer")]), ["web"]);
  });
});
