import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type Read, readStackFile } from "./file";

/** A stack file by its name without the folder. */
export interface NamedFile extends Read {
  file: string;
  stack: string;
}

/** Which stack a file belongs to, as Pulumi finds it. */
export function stackOf(file: string): string | undefined {
  return /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1];
}

/** The files that other stacks than this one have in a project's folder, by name; another folder's are examples, or drafts. */
export function otherStackFiles(folder: string, stack: string): NamedFile[] {
  if (!existsSync(join(folder, "Pulumi.yaml"))) return [];
  return readdirSync(folder)
    .sort()
    .flatMap((file) => {
      const name = stackOf(file);
      return name === undefined || name === stack ? [] : [{ file, stack: name, ...readStackFile(join(folder, file)) }];
    });
}
