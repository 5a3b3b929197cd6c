import { plan, type Plan } from "../../plan/plan";
import { dualStack, specOf } from "./specs";

/** What both sides have to change for, and whose scripts are brought. */
export interface Setting {
  port: number;
  databasePort: number;
  internalVip: string;
  routerIds: { ipv4: number; ipv6: number; internal: number };
  primary: "www" | "api";
  /** Which network the provider gives; its VIPs are in it. */
  network4: "203.0.113.0" | "203.0.113.128";
  network6: "2001:db8:45" | "2001:db8:46" | "2001:db8:47";
  /** Which places in them it gave the load balancers: how far from the network's first; none that we take by ourselves. */
  given?: number;
  /** Of ha-cluster. */
  release: number;
}

export const BUILT: Setting = {
  port: 8080,
  databasePort: 3306,
  internalVip: "198.51.100.1",
  routerIds: { ipv4: 51, ipv6: 52, internal: 53 },
  primary: "www",
  network4: "203.0.113.128",
  network6: "2001:db8:45",
  release: 1,
};

/** What every machine gets of a release. */
export function scriptsOf({ release }: Setting): string {
  return `install_script farewell.sh # of release ${release}`;
}

export function planned(setting: Setting): Plan {
  const { port, databasePort, internalVip, routerIds, primary, network4, network6, given } = setting;
  const first = network4.replace(/\d+$/, "");
  const last = Number(network4.slice(first.length));
  const vip = (name: "www" | "api", number: number): object => ({
    ipv4: `${first}${last + 40 + number}`,
    ipv6: `${network6}:67bb::${number}`,
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
        external: {
          ipv4: {
            cidr: `${network4}/26`,
            gateway: `${first}${last + 1}`,
            ...(given !== undefined && {
              loadBalancers: [`${first}${last + given}-${first}${last + given + 1}`, `${first}${last + given + 2}`],
            }),
          },
          ipv6: {
            prefix: `${network6}::/48`,
            gateway: `${network6}::1`,
            ...(given !== undefined && { firstSubnet: `${network6}:${given.toString(16)}::/64` }),
          },
          vipRanges: [`${network4}/26`, `${network6}:67bb::/64`],
        },
      }),
    ),
  );
}
