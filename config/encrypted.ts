/**
 * Stands for a secret that is in the stack file but can't be read, since only Pulumi's engine can decrypt it.
 * `validate` takes it wherever a secret belongs and can't judge its strength; `Secrets` then hold {@link UNREADABLE}.
 */
export class Encrypted {
  toString(): string {
    return UNREADABLE;
  }

  toJSON(): string {
    return UNREADABLE;
  }
}

/** What `Secrets` hold in place of a secret that nobody decrypted: enough to print a plan, never sent to a machine. */
export const UNREADABLE = "(encrypted)";
