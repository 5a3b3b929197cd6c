import type { Stack } from "../../operate/stack";
import type { Role } from "../../plan/servers";

/** A resource of Pulumi's state, as `pulumi stack export --show-secrets` has it. */
export interface Resource {
  urn: string;
  type: string;
  id?: string;
  parent?: string;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
  delete?: boolean;
}

/** The state as `pulumi stack export` prints it; secrets stay encrypted unless they are to be shown. */
export function exported(stack: Stack, ...options: "--show-secrets"[]): Promise<string> {
  return stack.must(["stack", "export", ...options, "--stack", stack.options.name]);
}

export async function readState(stack: Stack): Promise<Resource[]> {
  const text = await exported(stack, "--show-secrets");
  return (JSON.parse(text) as { deployment?: { resources?: Resource[] } }).deployment?.resources ?? [];
}

export function typeOf(urn: string): string {
  return urn.split("::")[2]?.split("$").at(-1) ?? "";
}

export function nameOf(urn: string): string {
  return urn.split("::").at(-1) ?? urn;
}

const COMPONENTS: Record<string, Role> = {
  "ha-cluster:index:LoadBalancer": "load-balancer",
  "ha-cluster:index:DatabaseServer": "database",
  "ha-cluster:index:AppServer": "app-server",
};

/** A URN has the types of all its parents: the role of the machine that the resource belongs to, if to any. */
export function roleOf(urn: string): Role | undefined {
  const types = urn.split("::")[2]?.split("$") ?? [];
  return types.map((type) => COMPONENTS[type]).find((role) => role !== undefined);
}

/** The id of that machine: Instances are called so, and so are the parents of all else. */
export function machineOf({ urn, type, parent }: Pick<Resource, "urn" | "type" | "parent">): string {
  if (type === INSTANCE || parent === undefined || roleOf(parent) === undefined) {
    return nameOf(urn).replace(/-(scripts|secrets|config|adoption|internal|external)$/, "");
  }
  return nameOf(parent);
}

export const INSTANCE = "openstack:compute/instance:Instance";
export const PORT = "openstack:networking/port:Port";
export const COMMAND = "command:remote:Command";

/** The mark of a secret, which an export with secrets shows as `{…: signature, plaintext: JSON}`; sdk/go/common/resource. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

/** Without the wrappers of secrets, however deep they are. */
export function clear(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(clear);
  if (typeof value !== "object" || value === null) return value;
  const { plaintext } = value as { plaintext?: unknown };
  if (SIGNATURE in value && typeof plaintext === "string") return clear(JSON.parse(plaintext));
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, clear(each)]));
}

/** As {@link clear} takes it; `pulumi stack import` encrypts it. */
export function secret(value: unknown): unknown {
  return { [SIGNATURE]: SECRET, plaintext: JSON.stringify(value) };
}
