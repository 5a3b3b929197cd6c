import type * as pulumi from "@pulumi/pulumi";
import type { Context } from "./context";
import { type Door, letIn } from "./remote";

/** Has a server that stands let in the user of `door`, before anybody comes by that door. */
export function login(
  id: string,
  door: Door,
  { change, secrets, nodeFiles }: Context,
  opts: { parent: pulumi.Resource },
  gate: pulumi.Resource[],
): pulumi.Resource[] {
  const found = change.logins[id];
  if (!found) return [];
  const { publicKey } = secrets.clientKey();
  const { by, ...said } = found;
  const args = { door: { ...door, user: by }, user: door.user, publicKey, stdin: nodeFiles.login, ...said };
  return [letIn(id, args, opts, gate)];
}
