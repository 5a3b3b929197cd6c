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
    problems.push({
      path: pathText(["services", name, "servers"]),
      cause: `every server behind \`${name}\` would be new (${listNames(servers.map((each) => each.name))}): nobody answers until they are made, 503 for minutes`,
      mend: "in two runs: first add the new group beside the old one, `pulumi up`, deploy your application there; then name it here and remove the old one",
    });
  }
  return [...problems, ...databaseEndpoint(plan, deployed)];
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

/** Applications learn of another address or port one by one, and only after the load balancers have left the old one. */
function databaseEndpoint({ database }: Plan, { bundles }: Deployed): Problem[] {
  const known = Object.values(bundles).find((text) => /^DATABASE_HOST=/m.test(text)) ?? "";
  const now = (key: string): string | undefined => new RegExp(`^${key}=(.*)$`, "m").exec(known)?.[1];
  const [host, port] = [now("DATABASE_HOST"), now("DATABASE_PORT")];
  if (!database || host === undefined || port === undefined) return [];
  return [
    ...(host === database.address
      ? []
      : [
          {
            path: "internal.vip",
            cause: `is ${database.address}, but ${host} is the gateway of all servers that run, and where applications look for the database`,
            mend: `write ${host} again`,
          },
        ]),
    ...(port === String(database.port)
      ? []
      : [
          {
            path: "database.port",
            cause: `is ${database.port}, but applications connect to ${port} until they have been told, one after the other`,
            mend: `write ${port} again`,
          },
        ]),
  ];
}
