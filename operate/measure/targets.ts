import { X509Certificate } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Plan } from "../../plan/plan";
import type { Bind, Frontend, Haproxy } from "../../plan/haproxy";
import type { Target } from "../traffic/traffic";
import type { Vip } from "./record";

/**
 * Every HTTP and HTTPS address of a cluster, asked for what its service's health check asks for. A certificate that signed
 * itself is trusted as it stands, any other has to lead to an authority that Node.js knows.
 *
 * @param folder takes the certificates that need a file
 */
export function targetsOf(plan: Plan, folder: string): Target[] {
  const haproxy = plan.loadBalancers[0]!.haproxy;
  return haproxy.frontends.flatMap((frontend) =>
    frontend.scheme === undefined ? [] : frontend.binds.map((bind) => target(plan, haproxy, frontend, bind, folder)),
  );
}

function target(plan: Plan, haproxy: Haproxy, frontend: Frontend, bind: Bind, folder: string): Target {
  const { address, port } = bind;
  const host = address.includes(":") ? `[${address}]` : address;
  const standard = frontend.scheme === "http" ? 80 : 443;
  const rule = frontend.rules.find(
    ({ destinations }) =>
      destinations === undefined || (destinations.addresses.includes(address) && destinations.port === port),
  );
  const action = rule!.action;
  const check = "backend" in action ? haproxy.backends.find(({ name }) => name === action.backend)!.check : undefined;
  return {
    url: `${frontend.scheme!}://${host}${port === standard ? "" : `:${port}`}${check?.kind === "http" ? check.path : "/"}`,
    ...("redirectToHttps" in action ? { status: 301 } : {}),
    ...(bind.certificate === undefined ? {} : trust(plan, bind.certificate, folder)),
  };
}

function trust(plan: Plan, path: string, folder: string): Pick<Target, "caFile" | "servername"> {
  const name = path.replace(/^.*\//, "").replace(/\.pem$/, "");
  const pem = plan.certificates.find((each) => each.name === name)!.certificate;
  const certificate = new X509Certificate(pem);
  const servername = /DNS:([^,]+)/.exec(certificate.subjectAltName ?? "")?.[1]?.replace(/^\*\./, "www.");
  const caFile = join(folder, `${name}.pem`);
  const signedItself = certificate.checkIssued(certificate);
  if (signedItself) writeFileSync(caFile, pem);
  return { ...(servername === undefined ? {} : { servername }), ...(signedItself ? { caFile } : {}) };
}

/** Every VIP of a cluster. */
export function vipsOf(plan: Plan): Vip[] {
  const vips = (["ipv4", "ipv6"] as const).flatMap((kind) =>
    plan.vips.flatMap((vip) => (vip[kind] === undefined ? [] : [{ address: vip[kind], kind }])),
  );
  return [...vips, { address: plan.internal.vip, kind: "internal" }];
}
