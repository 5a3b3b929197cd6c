import type { Outputs } from "../../operate/fleet";
import type { Stack } from "../../operate/stack";
import type { Role } from "../../plan/servers";
import type { Part } from "../finding";
import { filesOfBundle, filesOfScripts, type PushedFile } from "./pushed";

export interface DeployedMachine {
  /** Its host name. */
  name: string;
  role: Role;
  files: PushedFile[];
  /** URN of the Command that pushes each part; one that is missing was never finished. */
  commands: Partial<Record<Part, string>>;
}

/** What the last deployment made, as Pulumi's state has it. */
export interface Deployed {
  machines: DeployedMachine[];
  urls: string[];
  cloud: {
    /** What the program told the OpenStack provider, e.g. `cloud`. */
    provider: Record<string, unknown>;
    /** Names of security groups by id. */
    groups: Map<string, string>;
    rules: Set<string>;
  };
}

interface Resource {
  urn: string;
  type: string;
  id?: string;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
  delete?: boolean;
}

export async function readDeployed(stack: Stack): Promise<Deployed> {
  const text = await stack.must(["stack", "export", "--show-secrets", "--stack", stack.options.name]);
  return deployed((JSON.parse(text) as { deployment: { resources?: Resource[] } }).deployment.resources ?? []);
}

/** @param resources of a deployment, with secrets in the clear. */
export function deployed(resources: readonly Resource[]): Deployed {
  const live = resources.filter((each) => each.delete !== true);
  const root = live.find((each) => each.type === "pulumi:pulumi:Stack");
  const outputs = (root?.outputs ?? {}) as Partial<Outputs>;
  const of = (type: string): Resource[] => live.filter((each) => each.type === type);
  const commands = new Map(of("command:remote:Command").map((each) => [each.urn.split("::").at(-1)!, each]));
  const groups = of("openstack:networking/secGroup:SecGroup");
  return {
    machines: Object.entries(outputs.servers ?? {}).map(([name, { id, role }]) => {
      const part = (which: Part): Resource | undefined => commands.get(`${id}-${which}`);
      return {
        name,
        role: role as Role,
        files: [
          ...filesOfScripts(stdin(part("scripts"))),
          ...filesOfBundle(stdin(part("secrets")), "secrets"),
          ...filesOfBundle(stdin(part("config")), "config"),
        ],
        commands: Object.fromEntries(
          (["scripts", "secrets", "config"] as const).flatMap((which) => {
            const command = part(which);
            return command ? [[which, command.urn]] : [];
          }),
        ),
      };
    }),
    urls: outputs.urls ?? [],
    cloud: {
      provider: of("pulumi:providers:openstack")[0]?.inputs ?? {},
      groups: new Map(groups.map((each) => [each.id!, String(each.outputs?.name)])),
      rules: new Set(of("openstack:networking/secGroupRule:SecGroupRule").map((each) => each.id!)),
    },
  };
}

/** A secret is `{…: signature, plaintext: JSON}` in an export with secrets shown. */
function stdin(command: Resource | undefined): string {
  const value = command?.inputs?.stdin ?? "";
  if (typeof value === "string") return value;
  return JSON.parse((value as { plaintext: string }).plaintext) as string;
}
