import { readFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../operate/exec";
import type { Stack } from "../../operate/stack";
import { parse } from "yaml";

/** A certificate as a stack file has it. */
export interface StackCertificate {
  certificate: string;
  /** Encrypted with the stack's passphrase. */
  privateKey: { secure: string };
}

/** A new key pair, with a self-signed certificate in PEM for the name that dev's has. */
export async function newKeyPair(folder: string): Promise<{ certificate: string; privateKey: string }> {
  const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
  const name = "www.example.com";
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"];
  const names = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`];
  await run("openssl", ["req", "-x509", ...kind, ...names, "-keyout", key, "-out", certificate]);
  return { certificate: readFileSync(certificate, "utf8"), privateKey: readFileSync(key, "utf8") };
}

/** Encrypts with the passphrase of a stack, in whose file the secret is left: one that is thrown away. */
export async function encrypted(scratch: Stack, secret: string): Promise<{ secure: string }> {
  const { name, configFile } = scratch.options;
  const path = "ha-cluster:certificates.scratch.privateKey";
  const args = ["config", "set", "--secret", "--path", path, "--stack", name, "--config-file", configFile!];
  await scratch.must(args, { input: secret });
  const { config } = parse(readFileSync(configFile!, "utf8")) as {
    config: { "ha-cluster:certificates": { scratch: { privateKey: { secure: string } } } };
  };
  return config["ha-cluster:certificates"].scratch.privateKey;
}
