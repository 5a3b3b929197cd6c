import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Folder {
  path: string;
  remove: () => void;
}

export function temporaryFolder(): Folder {
  const path = mkdtempSync(join(tmpdir(), "ha-cluster-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
