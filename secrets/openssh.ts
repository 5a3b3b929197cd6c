import { createPrivateKey, createPublicKey } from "node:crypto";

export interface KeyPair {
  /** OpenSSH's own format, as sshd wants host keys. */
  privateKey: string;
  /** One line, as in authorized_keys and ssh_host_*_key.pub. */
  publicKey: string;
}

/** RFC 8410: the DER in front of an Ed25519 seed that makes it a PKCS #8 key. */
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

const TYPE = "ssh-ed25519";

/**
 * An Ed25519 key pair. Libraries draw OpenSSH's check bytes at random, which would make another text, and so another
 * server, of the same key at every run: here they are given.
 *
 * @param seed 32 bytes, the private key.
 * @param check 4 bytes, which OpenSSH compares to see whether decryption worked (PROTOCOL.key in its source).
 */
export function keyPairFromSeed(seed: Buffer, check: Buffer, comment: string): KeyPair {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: "der", type: "pkcs8" });
  const point = Buffer.from(createPublicKey(key).export({ format: "jwk" }).x!, "base64url");
  const publicBlob = Buffer.concat([string(TYPE), string(point)]);
  const secret = Buffer.concat([check, check, publicBlob, string(Buffer.concat([seed, point])), string(comment)]);
  const blob = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    string("none"),
    string("none"),
    string(""),
    uint32(1),
    string(publicBlob),
    string(padded(secret)),
  ]);
  return {
    privateKey: [
      "-----BEGIN OPENSSH PRIVATE KEY-----",
      ...blob.toString("base64").match(/.{1,70}/g)!,
      "-----END OPENSSH PRIVATE KEY-----",
      "",
    ].join("\n"),
    publicKey: `${TYPE} ${publicBlob.toString("base64")} ${comment}`,
  };
}

function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
}

/** RFC 4251 section 5: a length, then the bytes. */
function string(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

/** Bytes 1, 2, 3 … up to the cipher's block size, which is 8 for "none". */
function padded(secret: Buffer): Buffer {
  const missing = (8 - (secret.length % 8)) % 8;
  return Buffer.concat([secret, Buffer.from(Array.from({ length: missing }, (_, index) => index + 1))]);
}
