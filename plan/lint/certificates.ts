import { X509Certificate } from "node:crypto";
import type { Problem } from "../../config/problems";
import type { Spec } from "../../config/spec";
import type { Plan } from "../plan";
import { contradiction } from "./report";

const DAY = 24 * 60 * 60 * 1000;

/** Days before its end from which a certificate is pointed out; Let's Encrypt's clients renew 30 days before. */
export const RENEW_BEFORE = 21;

/** RFC 5280 section 4.2.1.12; Node's `keyUsage` lists these. */
const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const ANY_PURPOSE = "2.5.29.37.0";

const AGAIN = "get one from your certificate authority, and set it and its key as docs/configuration.md says";

/** Every certificate that a service shows can be accepted by a browser at the moment `now`. */
export function* checkCertificates(spec: Spec, planned: Plan, now: Date): Iterable<Problem> {
  const delivered = new Map(planned.certificates.map(({ name, certificate }) => [name, certificate]));
  const given = new Map(spec.certificates.map(({ name, certificate }) => [name, certificate]));
  for (const [name, services] of shown(spec)) {
    if (delivered.has(name) && delivered.get(name) === given.get(name)) continue;
    yield contradiction(
      `${services[0]!}.certificate`,
      `the certificate ${name} goes to no load balancer`,
      "plan/plan.ts",
    );
  }
  for (const { path, chain } of chains(spec, planned)) yield* checkChain(path, chain, now);
}

/** Certificates that end soon. */
export function* warnCertificates(spec: Spec, planned: Plan, now: Date): Iterable<Problem> {
  for (const { path, chain } of chains(spec, planned)) {
    const end = Math.min(...chain.map((each) => Date.parse(each.validTo)));
    const days = Math.floor((end - now.getTime()) / DAY);
    if (days < 0 || days >= RENEW_BEFORE) continue;
    yield { path, cause: `expires on ${date(end)}, in ${days} days`, mend: `renew it now: ${AGAIN}` };
  }
}

/** The services of each certificate; one that none uses is kept for later, and may be as it likes. */
function shown(spec: Spec): Map<string, string[]> {
  const services = new Map<string, string[]>();
  for (const service of spec.services) {
    if (service.kind !== "http" || !service.https) continue;
    const { certificate } = service.https;
    services.set(certificate, [...(services.get(certificate) ?? []), `services.${service.name}`]);
  }
  return services;
}

function chains(spec: Spec, planned: Plan): { path: string; chain: X509Certificate[] }[] {
  const used = shown(spec);
  return planned.certificates
    .filter(({ name }) => used.has(name))
    .map(({ name, certificate }) => ({
      path: `certificates.${name}.certificate`,
      chain: [...certificate.matchAll(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)].map(
        ([pem]) => new X509Certificate(pem),
      ),
    }));
}

function* checkChain(path: string, chain: X509Certificate[], now: Date): Iterable<Problem> {
  const broken = chain.findIndex((each, index) => {
    const issuer = chain[index + 1];
    return issuer !== undefined && !(each.checkIssued(issuer) && each.verify(issuer.publicKey));
  });
  if (broken >= 0) {
    yield {
      path,
      cause: `block ${broken + 2} (${subject(chain[broken + 1]!)}) did not issue block ${broken + 1} (${subject(chain[broken]!)}), so clients can't follow the chain`,
      mend: "put the server's own certificate first, and after each certificate the one that issued it",
    };
    // What the first block lacks is not worth a word as long as it may be the wrong one.
    return;
  }
  yield* checkNames(path, chain[0]!);
  for (const [index, each] of chain.entries()) yield* checkDates(path, each, index, now);
}

function* checkNames(path: string, certificate: X509Certificate): Iterable<Problem> {
  if (!/\b(DNS|IP Address):/.test(certificate.subjectAltName ?? "")) {
    yield {
      path,
      cause:
        "names no host: it has no DNS name or address as subjectAltName, and browsers ignore the common name (RFC 9525)",
      mend: `get one for the service's names: ${AGAIN}`,
    };
  }
  // Without the extension it is good for any purpose; the types of Node do not know that it may be absent.
  const purposes = certificate.keyUsage as string[] | undefined;
  if (purposes && !purposes.includes(SERVER_AUTH) && !purposes.includes(ANY_PURPOSE)) {
    yield {
      path,
      cause: "is not meant for servers: its extended key usage lacks serverAuth, so clients refuse it",
      mend: `get one for a server: ${AGAIN}`,
    };
  }
}

function* checkDates(path: string, certificate: X509Certificate, index: number, now: Date): Iterable<Problem> {
  const which = index === 0 ? "" : `block ${index + 1} (${subject(certificate)}) `;
  const [from, to] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
  if (to < now.getTime()) {
    yield { path, cause: `${which}expired on ${date(to)}`, mend: `renew it: ${AGAIN}` };
  } else if (from > now.getTime()) {
    yield {
      path,
      cause: `${which}is not valid before ${new Date(from).toISOString()}, and now it is ${now.toISOString()}`,
      mend: "set this machine's clock, or wait with this certificate and set the one before it again",
    };
  }
}

function subject(certificate: X509Certificate): string {
  return certificate.subject.split("\n").at(-1)!;
}

function date(moment: number): string {
  return new Date(moment).toISOString().slice(0, 10);
}
