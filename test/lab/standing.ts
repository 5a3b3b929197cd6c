import type { Stack } from "../../operate/stack";
import { lab, NAME } from "./support";

export interface Row {
  urn: string;
  id?: string;
  modified?: string;
}

/** What the state has, by type and name. */
export async function resources(stack: Stack): Promise<Map<string, Row>> {
  const text = await stack.must(["stack", "export", "--stack", NAME]);
  const { deployment } = JSON.parse(text) as { deployment: { resources: Row[] } };
  return new Map(deployment.resources.map((each) => [each.urn.split("$").at(-1)!, each]));
}

/** Nova's ids and Neutron's addresses: who is who, and where. */
export async function servers(): Promise<Map<string, string>> {
  const list = await lab.openstack<{ ID: string; Name: string; Networks: unknown }[]>("server", "list");
  return new Map(list.map(({ ID, Name, Networks }) => [Name, `${ID} ${JSON.stringify(Networks)}`]));
}
