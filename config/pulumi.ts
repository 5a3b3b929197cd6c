import * as pulumi from "@pulumi/pulumi";
import type { Problem } from "./problems";

const NAMESPACE = "ha-cluster:";

/**
 * All configuration of the stack's `ha-cluster:*` keys, without the namespace, secrets decrypted, as `validate` takes it.
 * `pulumi.Config` could only ask for keys it knows, so that a misspelt one would go unseen.
 */
export function readPulumiConfig(): Record<string, unknown> {
  const ours = Object.entries(pulumi.runtime.allConfig() as Record<string, string>).filter(([key]) =>
    key.startsWith(NAMESPACE),
  );
  return Object.fromEntries(ours.map(([key, text]) => [key.slice(NAMESPACE.length), structured(text)]));
}

/**
 * The engine hands maps and lists over as JSON, and everything else as it stands: `1` right under a key is the text "1",
 * the same as `"1"`, while inside a map both keep their types (seen with 3.259.0).
 */
function structured(text: string): unknown {
  if (!/^[[{]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Secrets that the stack file holds in the clear: a structured key is secret as a whole as soon as a part of it is. */
export function keysInTheClear(raw: Record<string, unknown>): Problem[] {
  const certificates = Object.keys(mapAt(raw, "certificates")).map((name) => ({
    path: `certificates.${name}.privateKey`,
    cause: "the private key stands in the clear in the stack file",
    mend: `replace it by \`pulumi config set --secret --path 'ha-cluster:certificates.${name}.privateKey' <KEY.pem\`, and the certificate by one with a new key`,
  }));
  const single = (key: string, part: string, what: string, afterwards: string): Problem[] =>
    Object.hasOwn(mapAt(raw, key), part)
      ? [
          {
            path: `${key}.${part}`,
            cause: `the ${what} stands in the clear in the stack file`,
            mend: `replace it by \`pulumi config set --secret --path ha-cluster:${key}.${part} <FILE\`, ${afterwards}`,
          },
        ]
      : [];
  return [
    ...certificates,
    ...single("machines", "privateKey", "private key", "with a new key that the hosts accept in the old one's place"),
    ...single("vrrp", "password", "password", "which every host on the network sees anyway"),
  ];
}

/** The map under a key that the stack file has in the clear. */
function mapAt(raw: Record<string, unknown>, key: string): object {
  const value = raw[key];
  return typeof value !== "object" || value === null || isConfigSecret(key) ? {} : value;
}

/** @pulumi/pulumi exports this without declaring it; without it nothing tells a secret value from a plain one. */
const runtime: unknown = pulumi.runtime;

function isConfigSecret(key: string): boolean {
  return (runtime as { isConfigSecret: (key: string) => boolean }).isConfigSecret(NAMESPACE + key);
}
