import type { Problem } from "../../config/problems";
import { listNames, pathText } from "../../config/shape/words";
import type { Plan } from "../../plan/plan";
import type { Change } from "../change";
import type { Deployed } from "../deployed";

/** The backend whose servers {@link departures} looks after. */
const DATABASE = "database";

/** Clients of a name must find somebody there all along: nothing may be new on both sides of it at once. */
export function endpoints(plan: Plan, deployed: Deployed, { kept }: Change): Problem[] {
  const standing = new Set(kept.map(({ planned }) => planned.hostname));
  const problems: Problem[] = [];
  for (const { name, servers } of plan.loadBalancers[0]?.haproxy.backends ?? []) {
    // Where all are lost, they have to be made anew.
    if (name === DATABASE || !isServed(name, deployed) || servers.some((each) => standing.has(each.name))) continue;
    const group = plan.appServers.find(({ hostname }) => hostname === servers[0]?.name);
    const gone = deployed.foundedGroups.filter((each) => !plan.appServers.some((app) => app.serversNamed === each));
    problems.push({
      path: pathText(["services", name, "servers"]),
      cause: `every server behind \`${name}\` would be new (${listNames(servers.map((each) => each.name))}): nobody answers until they are made, 503 for minutes`,
      mend: `${
        !group || gone.length !== 1
          ? ""
          : `if it is the group \`${gone[0]!}\` under another name, add \`${pathText(["appServers", group.group, "serversNamed"])}: ${gone[0]!}\`, and no server is touched; if not, `
      }in two runs: first add the new group beside the old one, \`pulumi up\`, deploy your application there; then name it here and remove the old one`,
    });
  }
  return problems;
}

/** Whether a server that stands, and was pushed to, is behind this name in the haproxy.cfg that runs. */
function isServed(backend: string, { bundles, servers }: Deployed): boolean {
  const section = new RegExp(`^backend ${backend}\\n((?: .*\\n)*)`, "m");
  const behind = Object.values(bundles).flatMap((text) => [
    ...(section.exec(text)?.[1] ?? "").matchAll(/^ +server (\S+)/gm),
  ]);
  const pushed = new Set(servers.filter((each) => each.pushed).map(({ hostname }) => hostname));
  return behind.some(([, name]) => pushed.has(name!));
}
