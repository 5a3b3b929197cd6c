import { join } from "node:path";
import { type Release, RELEASES } from "../../config/spec";
import { plan, type Plan } from "../../plan/plan";
import type { ConfigFile } from "../../render/bundle";
import { appServerFiles, databaseFiles, loadBalancerFiles } from "../../render/files";
import { dualStack, elaborate, existing, existingElaborate, ipv4Only, type Raw, specOf } from "../support/specs";
import { READERS } from "./releases/roots";

export interface GoldenCase {
  /** Name of the golden file. */
  name: string;
  role: "load-balancer" | "database" | "app-server";
  /** Whose daemons have to accept the files. */
  release: Release;
  files: ConfigFile[];
}

export const EXPECTED = join(__dirname, "expected");

/** The application's own text is the application's business. */
const SAMPLE = "# the sample application\n";

function load(raw: Raw): Plan {
  return plan(specOf(raw));
}

function balancer(name: string, raw: Raw, id: string): GoldenCase {
  const planned = load(raw);
  const node = byId(planned.loadBalancers, id);
  return { name, role: "load-balancer", release: node.release, files: loadBalancerFiles(planned, node) };
}

function byId<T extends { id: string }>(nodes: readonly T[], id: string): T {
  const found = nodes.find((node) => node.id === id);
  if (!found) throw new Error(`no server ${id}`);
  return found;
}

export function goldenCases(): GoldenCase[] {
  const dual = load(dualStack());
  return [
    ...RELEASES.map((release) => balancer(`existing-${release}`, existing(release), "lb-dc1")),
    ...READERS.map((release) => balancer(`elaborate-${release}`, existingElaborate(release), "lb-dc1")),
    balancer("ipv4-lb-dc1", ipv4Only(), "lb-dc1"),
    balancer("dual-lb-dc1", dualStack(), "lb-dc1"),
    balancer("dual-lb-dc3", dualStack(), "lb-dc3"),
    balancer("elaborate-lb-ams", elaborate(), "lb-ams"),
    {
      name: "dual-db-dc1",
      role: "database",
      release: "debian-12",
      files: databaseFiles(dual, byId(dual.databases, "db-dc1")),
    },
    {
      name: "dual-db-dc3",
      role: "database",
      release: "debian-12",
      files: databaseFiles(dual, byId(dual.databases, "db-dc3")),
    },
    {
      name: "dual-app-dc1-1",
      role: "app-server",
      release: "debian-12",
      files: appServerFiles(dual, byId(dual.appServers, "app-dc1-1"), SAMPLE),
    },
  ];
}
