import { createPrivateKey, X509Certificate, type KeyObject } from "node:crypto";
import { Encrypted } from "../encrypted";
import type { Problem } from "../problems";
import { sortedEntries, type Draft } from "../shape/draft";
import { setSecret } from "../shape/issues";
import { pathText } from "../shape/words";

const SHORTEST_ROOT = 32;
const FEWEST_CHARACTERS = 8;

/** No message of this file may contain a value, nor an error's text: OpenSSL's may quote its input. */
export function* checkSecrets(draft: Draft): Generator<Problem> {
  yield* checkRoot(draft.rootSecret);
  for (const [name, pair] of sortedEntries(draft.certificates)) {
    if (!pair) continue;
    const path = ["certificates", name];
    const certificate = yield* readChain(pathText([...path, "certificate"]), pair.certificate);
    const key = yield* readKey([...path, "privateKey"], pair.privateKey);
    if (certificate && key && !certificate.checkPrivateKey(key)) {
      yield {
        path: pathText([...path, "privateKey"]),
        cause: "does not belong to the first certificate of `certificate`",
        mend: "set the key that the certificate was made with; put the server's own certificate first and its chain after it",
      };
    }
  }
}

function* checkRoot(root: string | Encrypted | undefined): Generator<Problem> {
  if (root === undefined || root instanceof Encrypted) return;
  const path = "rootSecret";
  const mend = "make a new one with `openssl rand -base64 33 | pulumi config set --secret ha-cluster:rootSecret`";
  if (root.length < SHORTEST_ROOT) {
    yield {
      path,
      cause: `has ${root.length} characters, but every secret of the stack is derived from it: it needs ${SHORTEST_ROOT} or more`,
      mend,
    };
  } else if (isRepetition(root) || isSequence(root) || new Set(root).size < FEWEST_CHARACTERS) {
    yield { path, cause: "is easy to guess: a repetition, a sequence, or very few different characters", mend };
  }
}

/** Whether the text is a shorter one over and over, the last time perhaps cut off. */
function isRepetition(text: string): boolean {
  const longest = Math.floor(text.length / 2);
  return Array.from({ length: longest }, (_, index) => index + 1).some(
    (period) => text.slice(period) === text.slice(0, -period),
  );
}

/** Whether the text mostly counts up or down, as the alphabet does. */
function isSequence(text: string): boolean {
  const steps = Array.from(
    { length: text.length - 1 },
    (_, index) => text.charCodeAt(index + 1) - text.charCodeAt(index),
  );
  return steps.filter((step) => Math.abs(step) <= 1).length > steps.length * 0.75;
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g;

/** Reads a certificate and its chain; returns the first, which is the server's own. */
function* readChain(path: string, text: string | undefined): Generator<Problem, X509Certificate | undefined> {
  if (text === undefined) return undefined;
  if (text.includes("PRIVATE KEY-----")) {
    yield {
      path,
      cause: "contains a private key; certificates are shown in plans and in logs",
      mend: "leave certificates only, set the key as the secret `privateKey`, and think of this key as known to others",
    };
    return undefined;
  }
  if (!text.trimStart().startsWith("-----BEGIN CERTIFICATE-----")) {
    yield {
      path,
      cause: "does not begin with -----BEGIN CERTIFICATE-----",
      mend: "write `certificate: |` and the PEM text, indented, on the lines below",
    };
    return undefined;
  }
  const blocks = [...text.matchAll(BLOCK)];
  const chain = blocks.map(([pem, label]) => (label === "CERTIFICATE" ? parseCertificate(pem) : undefined));
  const broken = chain.findIndex((certificate) => certificate === undefined);
  if (blocks.length === 0 || broken >= 0) {
    yield {
      path,
      cause: `block ${Math.max(broken, 0) + 1} can't be read as a certificate`,
      mend: "copy the PEM text again, whole, from -----BEGIN to -----END; check it with `openssl x509 -noout -text`",
    };
  }
  return chain[0];
}

function parseCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function* readKey(path: string[], text: string | Encrypted | undefined): Generator<Problem, KeyObject | undefined> {
  if (text === undefined || text instanceof Encrypted) return undefined;
  if (text.includes("ENCRYPTED PRIVATE KEY") || text.includes("Proc-Type: 4,ENCRYPTED")) {
    yield {
      path: pathText(path),
      cause: "is protected by a passphrase, which the load balancers don't have",
      mend: "take the passphrase off with `openssl pkey`, and set the result with `pulumi config set --secret`",
    };
    return undefined;
  }
  try {
    return createPrivateKey(text);
  } catch {
    yield { path: pathText(path), cause: "can't be read as a private key in PEM form", mend: setSecret(path) };
    return undefined;
  }
}
