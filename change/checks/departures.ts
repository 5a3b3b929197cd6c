import type { Problem } from "../../config/problems";
import { listNames, pathText } from "../../config/shape/words";
import type { Change } from "../change";
import type { Deployed, DeployedServer } from "../deployed";

/** Datacenters that leave: never under another name in the same run, and never with the last copy. */
export function departures(
  deployed: Deployed,
  { created, leaving, kept }: Change,
  mayDelete: readonly string[],
): Problem[] {
  const datacenterOf = (id: string): string => id.replace(/^(lb|db)-/, "");
  const edge = ({ role }: { role: string }): boolean => role !== "app-server";
  const going = [...new Set(leaving.filter((each) => edge(each) && each.pushed).map(({ id }) => datacenterOf(id)))];
  const coming = [...new Set(created.filter(edge).map(({ datacenter }) => datacenter))].filter(
    (name) => !deployed.servers.some(({ id }) => id === `lb-${name}` || id === `db-${name}`),
  );
  if (going.length > 0 && coming.length > 0) {
    return coming.map((name) => ({
      path: pathText(["datacenters", name]),
      cause: `is new, while ${listNames(going)} would be deleted in the same run, with all servers there`,
      mend: `if it is the same place under another name, keep the old name, which its servers bear for life (\`availabilityZone\` may be called anything); if not, do it in two runs: first without ${listNames(going)} (with \`quorumRisk\` and \`mayDelete\`), then with \`${name}\``,
    }));
  }
  const databases = leaving.filter((each) => each.role === "database" && each.pushed);
  if (databases.length > 0 && !kept.some(({ planned }) => planned.role === "database")) {
    return [
      {
        path: "datacenters",
        cause: `all databases would be deleted, with their data: ${listNames(databases.map(({ id }) => id))}`,
        mend: "keep at least one that stands; to remove the cluster, see docs/change-a-cluster.md (Remove a cluster)",
      },
    ];
  }
  return databases.filter(({ id }) => !mayDelete.includes(id)).map(dataLeaves);
}

function dataLeaves({ id, hostname }: DeployedServer): Problem {
  return {
    path: pathText(["datacenters", id.replace(/^db-/, "")]),
    cause: `is gone from the file, so ${hostname} would be deleted with its copy of the data`,
    mend: `write the datacenter back; or, if it shall go, look that the other databases are synced (\`npm run verify\`), and add \`ha-cluster:mayDelete: [${id}]\``,
  };
}
