import { createPrivateKey } from "node:crypto";
import { Encrypted } from "../encrypted";
import type { Problem } from "../problems";
import type { Draft } from "../shape/draft";
import { setSecret } from "../shape/issues";
import { quote } from "../shape/words";

/** Types of host keys that today's sshd and the SSH client of the push both speak (RFC 8709, RFC 5656, RFC 8332). */
const KEY_TYPES = ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"];

interface DraftLogin {
  host?: string;
  user?: string;
  hostKey?: string;
}

/** What is needed to log in to a host, or to the jump host on the way. */
export function* checkLogin(path: string, { host, user, hostKey }: DraftLogin): Generator<Problem> {
  if (host !== undefined && !/^[A-Za-z0-9:]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9:])?$/.test(host)) {
    yield {
      path: `${path}.host`,
      cause: `${quote(host)} is neither an address nor a host's name`,
      mend: "write the address alone, for example 203.0.113.9; user and port have keys of their own",
    };
  }
  if (user !== undefined && !/^[a-z_][a-z0-9_-]{0,31}$/.test(user)) {
    yield {
      path: `${path}.user`,
      cause: `${quote(user)} can't be the name of a user`,
      mend: "write a user that may become root with sudo and without a password, or root",
    };
  }
  if (hostKey !== undefined) yield* checkHostKey(`${path}.hostKey`, hostKey);
}

function* checkHostKey(path: string, text: string): Generator<Problem> {
  const mend =
    "write what `ssh-keyscan -t ed25519 HOST` prints after the host's name, once you have compared it on the host itself";
  if (text.includes("PRIVATE KEY")) {
    yield { path, cause: "is a private key; the host's public key belongs here", mend };
    return;
  }
  const words = text.trim().split(/\s+/);
  const at = words.findIndex((word) => KEY_TYPES.includes(word));
  if (at > 0 && isKey(words[at]!, words[at + 1])) {
    yield {
      path,
      cause: `has ${quote(words.slice(0, at).join(" "))} before the key, as in known_hosts`,
      mend: `remove it: begin with ${words[at]}`,
    };
  } else if (at !== 0 || !isKey(words[0]!, words[1])) {
    yield { path, cause: `${quote(text)} is no public host key`, mend };
  }
}

/** RFC 4253 section 6.6: the blob begins with its own type, after four bytes of length. */
function isKey(type: string, base64: string | undefined): boolean {
  const blob = Buffer.from(base64 ?? "", "base64");
  const shortest = 4 + type.length + 4 + 32;
  return (
    blob.length >= shortest &&
    blob.readUInt32BE(0) === type.length &&
    blob.toString("latin1", 4, 4 + type.length) === type
  );
}

/** No message here may contain the key, nor an error's text: OpenSSL's may quote its input. */
export function* checkPrivateKey(machines: NonNullable<Draft["machines"]>, given: boolean): Generator<Problem> {
  const path = "machines.privateKey";
  const mend = setSecret(["machines", "privateKey"]);
  if (!given) {
    yield { path, cause: "is missing; the private key that logs in to the hosts belongs here", mend };
    return;
  }
  const { privateKey } = machines;
  if (privateKey === undefined || privateKey instanceof Encrypted) return;
  switch (kindOf(privateKey)) {
    case "usable":
      return;
    case "passphrase":
      yield {
        path,
        cause: "is protected by a passphrase, which nobody can type during an update",
        mend: "make a key of its own for this program with `ssh-keygen -t ed25519 -N ''`, and put its public half on the hosts",
      };
      return;
    case "none":
      yield { path, cause: "can't be read as a private key, neither in OpenSSH's form nor in PEM", mend };
      return;
  }
}

const OPENSSH = /^-----BEGIN OPENSSH PRIVATE KEY-----\s([A-Za-z0-9+/=\s]+)-----END OPENSSH PRIVATE KEY-----\s*$/;

function kindOf(text: string): "usable" | "passphrase" | "none" {
  const openssh = OPENSSH.exec(text.trim());
  if (openssh) return kindOfOpenssh(Buffer.from(openssh[1]!, "base64"));
  if (text.includes("ENCRYPTED PRIVATE KEY") || text.includes("Proc-Type: 4,ENCRYPTED")) return "passphrase";
  try {
    createPrivateKey(text);
    return "usable";
  } catch {
    return "none";
  }
}

/** PROTOCOL.key in OpenSSH's source: a magic word, then the name of the cipher. */
function kindOfOpenssh(blob: Buffer): "usable" | "passphrase" | "none" {
  const magic = "openssh-key-v1\0";
  if (blob.length < 64 || blob.toString("latin1", 0, magic.length) !== magic) return "none";
  const length = blob.readUInt32BE(magic.length);
  const cipher = blob.toString("latin1", magic.length + 4, magic.length + 4 + length);
  return cipher === "none" ? "usable" : "passphrase";
}
