import type { Family } from "../../harness/cluster";
import type { StackFile } from "../../harness/stackFile";
import type { StackCertificate } from "./certificate";
import { NEXT, type Versions } from "./versions";

/** What steps put into the stack file. */
export interface Material {
  /** Another than it has. */
  certificate: StackCertificate;
  /** Of the load balancers' packages, as they are. */
  versions: Versions;
}

/** What is done to the stack file of dev. */
export type Change = (file: StackFile, material: Material) => unknown;

export interface Step {
  name: string;
  /** Families that the cluster serves both before and after. */
  families: readonly Family[];
  before: Change;
  after: Change;
}

const BOTH = ["ipv4", "ipv6"] as const;

export const unchanged: Change = () => undefined;

const ipv4Only: Change = (file) => file.withoutIpv6();

const secondVip: Change = (file) =>
  file
    .set("vips.www.primary", true)
    .set("vips.api", { ipv4: "203.0.113.181" })
    .set("services.web.vips", ["api", "www"]);

const moreServers: Change = (file) => file.set("appServers.app.perDatacenter", { dc1: 2, dc2: 1, dc3: 1 });

const healthCheck: Change = (file) => file.set("services.web.healthCheck", "/healthz?by=haproxy");

const slowerTimers: Change = (file) => file.set("vrrp", { advertInterval: 2 });

const otherTimers: Change = (file) => file.set("vrrp", { advertInterval: 0.5 });

const newCertificate: Change = (file, { certificate: { certificate, privateKey } }) =>
  file.set("certificates.www.certificate", certificate).set("certificates.www.privateKey", privateKey);

const oldPackages: Change = (file, { versions }) => file.set("loadBalancers", { packages: versions });

const newPackages: Change = (file, { versions: { haproxy, keepalived } }) =>
  file.set("loadBalancers", { packages: { haproxy: haproxy + NEXT, keepalived: keepalived + NEXT } });

const ipv4OnlySlower: Change = (file) => file.withoutIpv6().set("vrrp", { advertInterval: 2 });

/** In an order in which each begins where the one before ended, and the last ends with the stack file as it is. */
export const steps: readonly Step[] = [
  { name: "remove IPv6", families: ["ipv4"], before: unchanged, after: ipv4Only },
  { name: "IPv4 alone: advert interval 0.3 s to 2 s", families: ["ipv4"], before: ipv4Only, after: ipv4OnlySlower },
  { name: "IPv4 alone: advert interval 2 s to 0.3 s", families: ["ipv4"], before: ipv4OnlySlower, after: ipv4Only },
  { name: "add IPv6", families: ["ipv4"], before: ipv4Only, after: unchanged },
  ...thereAndBack("add a second IPv4 VIP", "remove that VIP", secondVip),
  ...thereAndBack("add an application server", "remove that application server", moreServers),
  ...thereAndBack("change the health check", "the old health check again", healthCheck),
  ...thereAndBack("advert interval 0.3 s to 2 s", "advert interval 2 s to 0.3 s", slowerTimers),
  ...thereAndBack("advert interval 0.3 s to 0.5 s", "advert interval 0.5 s to 0.3 s", otherTimers),
  ...thereAndBack("replace the certificate and its key", "the old certificate again", newCertificate),
  { name: "upgrade haproxy and keepalived", families: BOTH, before: oldPackages, after: newPackages },
  { name: "the old packages again", families: BOTH, before: newPackages, after: oldPackages },
];

function thereAndBack(there: string, back: string, change: Change): Step[] {
  return [
    { name: there, families: BOTH, before: unchanged, after: change },
    { name: back, families: BOTH, before: change, after: unchanged },
  ];
}
