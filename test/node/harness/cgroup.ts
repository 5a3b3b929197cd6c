import { existsSync, mkdirSync, readdirSync, rmdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";

const ROOT = "/sys/fs/cgroup";

/**
 * A control group per machine, in every hierarchy of the host (v1) or in the one (v2). Without it all machines' systemds
 * share the host's groups, and one that stops a service kills the other machines' processes of the same name.
 */
export function makeCgroup(directory: string): string[] {
  return folders(directory).map((folder) => {
    mkdirSync(folder, { recursive: true });
    return join(folder, "cgroup.procs");
  });
}

/** Once all its processes are gone. */
export function removeCgroup(directory: string): void {
  for (const folder of folders(directory)) {
    if (!existsSync(folder)) continue;
    const below = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name));
    for (const path of [...below.sort().reverse(), folder]) {
      try {
        rmdirSync(path);
      } catch (error) {
        // A group that has just lost its last process may be busy for a moment; empty, it does no harm.
        if (!["EBUSY", "ENOENT"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
      }
    }
  }
}

/** `directory` is the machine's own: its last two names tell site and machine. */
function folders(directory: string): string[] {
  const name = `${basename(dirname(directory))}-${basename(directory)}`;
  const unified = existsSync(join(ROOT, "cgroup.controllers"));
  const hierarchies = unified ? [ROOT] : readdirSync(ROOT).map((entry) => join(ROOT, entry));
  return hierarchies
    .filter((hierarchy) => existsSync(join(hierarchy, "cgroup.procs")) && !hierarchy.endsWith("cpuset"))
    .map((hierarchy) => join(hierarchy, name));
}
