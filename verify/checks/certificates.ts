import { createPrivateKey, X509Certificate } from "node:crypto";
import type { Finding } from "../finding";
import type { DeployedMachine } from "../gather/deployed";
import type { PushedFile } from "../gather/pushed";

/** Days before the end from which a certificate is a warning, and a drift: three weeks to act, one to hurry. */
export const WARN_DAYS = 21;
export const FAIL_DAYS = 7;

const DAY = 86_400_000;

/** haproxy's PEM files: certificate, chain, private key. */
export function certificateFiles(machines: readonly DeployedMachine[]): PushedFile[] {
  const files = machines.flatMap(({ files: all }) => all.filter(({ path }) => /^\/etc\/haproxy\/certs\//.test(path)));
  return [...new Map(files.map((file) => [file.path, file])).values()];
}

/** Of what was deployed: the key fits, a name is named, each certificate is signed by the next, and there is time left. */
export function checkCertificates(machines: readonly DeployedMachine[], now: Date): Finding[] {
  return certificateFiles(machines).flatMap((file) => checkCertificate(file, now));
}

function checkCertificate({ path, text }: PushedFile, now: Date): Finding[] {
  const what = path
    .split("/")
    .at(-1)!
    .replace(/\.pem$/, "");
  const finding = (severity: Finding["severity"], expected: string, found: string): Finding => ({
    check: "certificates",
    where: "stack",
    what,
    severity,
    expected,
    found,
    mend: "put a new one into the stack file (docs/configuration.md), then pulumi up",
  });
  let chain: X509Certificate[];
  let fits: boolean;
  try {
    chain = certificatesOf(text);
    fits = chain[0]!.checkPrivateKey(createPrivateKey(text.slice(text.search(/-----BEGIN [A-Z ]*PRIVATE KEY-----/))));
  } catch {
    return [finding("drift", "a certificate and its private key", "can't be read")];
  }
  const findings = fits ? [] : [finding("drift", "the certificate's own private key", "the key of another one")];
  if (chain[0]!.subjectAltName === undefined) {
    findings.push(finding("warning", "names in subjectAltName", "none; browsers don't read the common name"));
  }
  chain.slice(0, -1).forEach((each, index) => {
    const issuer = chain[index + 1]!;
    if (!each.checkIssued(issuer) || !each.verify(issuer.publicKey)) {
      findings.push(
        finding("drift", `certificate ${index + 2} of the chain signed number ${index + 1}`, named(issuer.subject)),
      );
    }
  });
  chain.forEach((each, index) => {
    const days = Math.floor((Date.parse(each.validTo) - now.getTime()) / DAY);
    if (days < WARN_DAYS) {
      const which = index === 0 ? "" : `, certificate ${index + 1} of the chain`;
      findings.push(
        finding(days < FAIL_DAYS ? "drift" : "warning", `${WARN_DAYS} days left and more`, `${days}${which}`),
      );
    }
    if (Date.parse(each.validFrom) > now.getTime())
      findings.push(finding("drift", "valid today", `from ${each.validFrom}`));
  });
  return findings;
}

export function certificatesOf(pem: string): X509Certificate[] {
  const found = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  return found.map((each) => new X509Certificate(each));
}

function named(subject: string): string {
  return `it is of ${subject.replaceAll("\n", ", ")}, which did not`;
}
