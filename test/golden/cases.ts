import { join } from "node:path";
import { plan, type Plan } from "../../plan/plan";
import type { ConfigFile } from "../../render/bundle";
import { appServerFiles, databaseFiles, loadBalancerFiles } from "../../render/files";
import { dualStack, elaborate, ipv4Only, type Raw, specOf } from "../support/specs";

export interface GoldenCase {
  /** Name of the golden file. */
  name: string;
  role: "load-balancer" | "database" | "app-server";
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
  const node = planned.loadBalancers.find((each) => each.id === id)!;
  return { name, role: "load-balancer", files: loadBalancerFiles(planned, node) };
}

export function goldenCases(): GoldenCase[] {
  const dual = load(dualStack());
  return [
    balancer("ipv4-lb-dc1", ipv4Only(), "lb-dc1"),
    balancer("dual-lb-dc1", dualStack(), "lb-dc1"),
    balancer("dual-lb-dc3", dualStack(), "lb-dc3"),
    balancer("elaborate-lb-ams", elaborate(), "lb-ams"),
    { name: "dual-db-dc1", role: "database", files: databaseFiles(dual, dual.databases[0]!) },
    { name: "dual-db-dc2", role: "database", files: databaseFiles(dual, dual.databases[1]!) },
    { name: "dual-app-dc1-1", role: "app-server", files: appServerFiles(dual, dual.appServers[0]!, SAMPLE) },
  ];
}
