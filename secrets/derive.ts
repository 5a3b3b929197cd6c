import { hkdfSync } from "node:crypto";
import { type KeyPair, keyPairFromSeed } from "./openssh";

/**
 * Everything secret that a stack needs, derived from its one root secret (HKDF-SHA256, RFC 5869): nothing else has to be
 * kept, backed up or rotated, and the same root gives the same secrets on every `pulumi up`.
 */
export class DerivedSecrets {
  constructor(private readonly root: string) {}

  /** Key of the operator (and of Pulumi) on every machine. */
  clientKey(): KeyPair {
    return this.keyPair("ssh-client-key", "ha-cluster");
  }

  hostKey(server: string): KeyPair {
    return this.keyPair(`ssh-host-key/${server}`, server);
  }

  /** Eight characters: keepalived uses no more (keepalived.conf(5), auth_pass). */
  vrrpPassword(): string {
    return this.text("vrrp-password", 8);
  }

  databasePassword(user: string): string {
    return this.text(`database-password/${user}`, 32);
  }

  private keyPair(label: string, comment: string): KeyPair {
    return keyPairFromSeed(this.bytes(label, 32), this.bytes(`${label}/check`, 4), comment);
  }

  /** Letters and digits only, so that no file format needs to quote it. */
  private text(label: string, length: number): string {
    return this.bytes(label, 4 * length)
      .toString("base64")
      .replace(/[^A-Za-z0-9]/g, "")
      .slice(0, length);
  }

  private bytes(label: string, length: number): Buffer {
    return Buffer.from(hkdfSync("sha256", this.root, "ha-cluster v1", label, length));
  }
}
