import type { X509Certificate } from "node:crypto";
import type { Finding } from "../finding";
import type { DeployedMachine } from "../gather/deployed";
import type { Answer } from "../gather/outside";
import { certificateFiles, certificatesOf } from "./certificates";

/** This machine has no way to that family of addresses: nothing is said about the cluster. */
const NO_WAY_THERE = new Set(["ENETUNREACH", "EADDRNOTAVAIL", "EAFNOSUPPORT"]);

/** Every URL answers, and with the certificate that was deployed. */
export function checkAnswers(answers: readonly Answer[], machines: readonly DeployedMachine[]): Finding[] {
  return answers.flatMap((answer) => checkAnswer(answer, machines));
}

function checkAnswer({ url, status, error, fingerprint }: Answer, machines: readonly DeployedMachine[]): Finding[] {
  const about = { check: "outside", where: url, what: "answer" } as const;
  if (error !== undefined) {
    const unknown = NO_WAY_THERE.has(error);
    return [
      {
        ...about,
        severity: unknown ? "unknown" : "drift",
        expected: "an answer",
        found: unknown ? `this machine can't reach the address (${error})` : error,
        mend: unknown
          ? "run verify where the address can be reached"
          : "mend the findings of load balancers and cloud first",
      },
    ];
  }
  if (status === undefined || status >= 500) {
    return [
      { ...about, severity: "drift", expected: "below 500", found: String(status), mend: "look at the backends" },
    ];
  }
  const certificate = certificateOf(url, machines);
  if (certificate === undefined || certificate.fingerprint256 === fingerprint) return [];
  return [
    {
      ...about,
      what: "certificate",
      severity: "drift",
      expected: `SHA-256 ${certificate.fingerprint256.slice(0, 23)}…`,
      found: fingerprint === undefined ? "none" : `SHA-256 ${fingerprint.slice(0, 23)}…`,
      mend: "mend the findings of the load balancers first",
    },
  ];
}

/** The certificate that haproxy was told to serve there. */
export function certificateOf(url: string, machines: readonly DeployedMachine[]): X509Certificate | undefined {
  if (!url.startsWith("https:")) return undefined;
  const { hostname, port } = new URL(url);
  const bind = `${hostname.replace(/^\[|\]$/g, "")}:${port || "443"}`;
  for (const { files } of machines) {
    const config = files.find(({ path }) => path === "/etc/haproxy/haproxy.cfg")?.text ?? "";
    const line = config.split("\n").find((each) => each.trim().startsWith(`bind ${bind} `));
    const path = / crt (\S+)/.exec(line ?? "")?.[1];
    const file = certificateFiles(machines).find((each) => each.path === path);
    if (file) return certificatesOf(file.text)[0];
  }
  return undefined;
}
