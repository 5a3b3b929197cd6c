import type { Document } from "yaml";
import type { Spec } from "../config/spec";

/** Writes everybody's slot into a stack file, which keeps its comments: it needs no state any more to keep all in place. */
export function pin(file: Document, { datacenters, appServers, machines }: Spec): Document {
  for (const { name, slot } of datacenters) file.setIn(["config", "ha-cluster:datacenters", name, "slot"], slot);
  for (const { name, slots } of machines.source === "existing" ? [] : appServers) {
    const node = file.createNode(slots, { flow: true });
    file.setIn(["config", "ha-cluster:appServers", name, "slots"], node);
  }
  return file;
}
