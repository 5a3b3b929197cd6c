import { StackFile } from "../harness/stackFile";

/** Servers that a cluster of three datacenters has besides application servers: load balancers and databases. */
const OTHERS = 6;

/** The smallest cluster has one application server in each datacenter. */
export const SMALLEST = OTHERS + 3;

const DATACENTERS = ["dc1", "dc2", "dc3"];

/** As many as a group of application servers may have in one datacenter; see config/shape/schema.ts. */
const LARGEST = 20;

/**
 * A stack file of dev's kind for a cluster of as many servers, whose internal network has room for them: 198.18.0.0/15 is for
 * benchmarks (RFC 2544, section C.2.2). Nobody builds it. Every group of application servers has a service of its own.
 *
 * @param servers In all; {@link SMALLEST} at least.
 */
export function sized(file: StackFile, servers: number): StackFile {
  file.set("customer", "bench").set("internal", { cidr: "198.18.0.0/20", vip: "198.18.0.1" });
  groups(servers - OTHERS).forEach((perDatacenter, index) => {
    const name = index === 0 ? "app" : `app${index + 1}`;
    file.set(`appServers.${name}`, { runtime: "python", perDatacenter });
    if (index > 0) file.set(`services.web${index + 1}`, { vips: ["www"], http: 8000 + index, servers: name });
  });
  return file;
}

/** Application servers per datacenter, by group. */
export function groups(servers: number): Record<string, number>[] {
  const made: Record<string, number>[] = [];
  for (let left = servers; left > 0; left -= LARGEST * DATACENTERS.length) {
    const size = Math.min(left, LARGEST * DATACENTERS.length);
    made.push(
      Object.fromEntries(
        DATACENTERS.map((name, index) => [name, Math.ceil((size - index) / DATACENTERS.length)] as const),
      ),
    );
  }
  return made;
}
