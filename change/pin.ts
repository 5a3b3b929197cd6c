import type { Document } from "yaml";
import type { Spec } from "../config/spec";

/**
 * Writes everybody's slot into a stack file, and what the internal network was built as; the file keeps its comments, and needs
 * no state any more to keep all in place.
 */
export function pin(file: Document, { datacenters, appServers, machines, internal }: Spec): Document {
  for (const { name, slot } of datacenters) file.setIn(["config", "ha-cluster:datacenters", name, "slot"], slot);
  for (const { name, slots } of machines.source === "existing" ? [] : appServers) {
    const node = file.createNode(slots, { flow: true });
    file.setIn(["config", "ha-cluster:appServers", name, "slots"], node);
  }
  if (machines.source !== "existing") file.setIn(["config", "ha-cluster:internal", "builtAs"], internal.builtAs);
  return file;
}
