import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";

/** How the user's environment says to log in to the cloud; see the OpenStack client's documentation of clouds.yaml. */
export interface CloudAccess {
  auth: Record<string, string>;
  region?: string;
  interface: string;
}

/** Logged in to a cloud: its services, by their types in the catalog. */
export class CloudSession {
  private constructor(
    private readonly access: CloudAccess,
    private readonly catalog: readonly Service[],
    private readonly token: string,
    /** The project that it is logged in to. */
    readonly projectId: string | undefined,
  ) {}

  static async open(access: CloudAccess): Promise<CloudSession> {
    const url = access.auth.auth_url!.replace(/\/+$/, "");
    const response = await request(`${/\/v3$/.test(url) ? url : `${url}/v3`}/auth/tokens`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(authentication(access.auth)),
    });
    const { token } = (await response.json()) as { token: { catalog?: Service[]; project?: { id: string } } };
    return new CloudSession(access, token.catalog ?? [], response.headers.get("X-Subject-Token")!, token.project?.id);
  }

  async read<T>(type: string, path: string): Promise<T> {
    return (await (await this.call(type, path)).json()) as T;
  }

  /**
   * @param more `microversion` of Nova, where an older one doesn't know what is asked for; `seconds` to wait for an answer,
   * 15 unless given
   */
  call(
    type: string,
    path: string,
    method = "GET",
    { body, microversion, seconds }: { body?: unknown; microversion?: string; seconds?: number } = {},
  ): Promise<Response> {
    const options = {
      method,
      headers: {
        "X-Auth-Token": this.token,
        ...(microversion !== undefined && { "X-OpenStack-Nova-API-Version": microversion }),
        ...(body !== undefined && { "Content-Type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    };
    return request(`${this.endpoint(type)}/${path}`, options, seconds);
  }

  private endpoint(type: string): string {
    const { interface: wanted, region } = this.access;
    const service = this.catalog.find((each) => each.type === type);
    const endpoint = service?.endpoints.find(
      (each) => each.interface === wanted && (region === undefined || each.region === region),
    );
    if (!endpoint) throw new Error(`the cloud's catalog has no ${wanted} endpoint of the ${type} service`);
    return endpoint.url.replace(/\/+$/, "");
  }
}

interface Service {
  type: string;
  endpoints: { interface: string; region: string; url: string }[];
}

async function request(url: string, options: RequestInit, seconds = 15): Promise<Response> {
  const response = await fetch(url, { ...options, signal: AbortSignal.timeout(seconds * 1000) });
  if (!response.ok)
    throw new Error(`${new URL(url).pathname} of the cloud answers ${response.status}${await reason(response)}`);
  return response;
}

/** In the cloud's own words, if it has some: `{ "forbidden": { "message": "Quota exceeded …" } }`. */
async function reason(response: Response): Promise<string> {
  const found = /"message": ?"((?:[^"\\]|\\.)+)"/.exec(await response.text());
  return found ? `: ${found[1]!}` : "";
}

/** Keystone's v3 API: application credentials carry their project, passwords don't. */
function authentication(auth: Record<string, string>): unknown {
  if (auth.application_credential_id !== undefined) {
    const credential = { id: auth.application_credential_id, secret: auth.application_credential_secret };
    return { auth: { identity: { methods: ["application_credential"], application_credential: credential } } };
  }
  const domain = (id?: string, name?: string): object => (id === undefined ? { name: name ?? "Default" } : { id });
  const user = {
    ...(auth.user_id === undefined
      ? { name: auth.username, domain: domain(auth.user_domain_id ?? auth.domain_id, auth.user_domain_name) }
      : { id: auth.user_id }),
    password: auth.password,
  };
  const project =
    auth.project_id === undefined
      ? { name: auth.project_name, domain: domain(auth.project_domain_id ?? auth.domain_id, auth.project_domain_name) }
      : { id: auth.project_id };
  return { auth: { identity: { methods: ["password"], password: { user } }, scope: { project } } };
}

/**
 * @param provider what the program told the OpenStack provider: `cloud` names an entry of clouds.yaml
 * @throws when neither it, nor OS_CLOUD, nor OS_AUTH_URL says where the cloud is
 */
export function cloudAccess(provider: Record<string, unknown>, environment: NodeJS.ProcessEnv): CloudAccess {
  const region = typeof provider.region === "string" ? { region: provider.region } : {};
  const name = typeof provider.cloud === "string" ? provider.cloud : environment.OS_CLOUD;
  if (name !== undefined) return { ...fromCloudsYaml(name, environment), ...region };
  if (environment.OS_AUTH_URL === undefined) {
    throw new Error("neither openstack:cloud, nor OS_CLOUD, nor OS_AUTH_URL says where the cloud is");
  }
  const own = Object.entries(environment).flatMap(([key, value]) =>
    key.startsWith("OS_") && value !== undefined ? [[key.slice("OS_".length).toLowerCase(), value] as const] : [],
  );
  return {
    auth: Object.fromEntries(own),
    ...(environment.OS_REGION_NAME === undefined ? {} : { region: environment.OS_REGION_NAME }),
    ...region,
    interface: environment.OS_INTERFACE ?? "public",
  };
}

function fromCloudsYaml(name: string, environment: NodeJS.ProcessEnv): CloudAccess {
  const places = [
    ...(environment.OS_CLIENT_CONFIG_FILE === undefined ? [] : [environment.OS_CLIENT_CONFIG_FILE]),
    "clouds.yaml",
    join(homedir(), ".config", "openstack", "clouds.yaml"),
    "/etc/openstack/clouds.yaml",
  ];
  for (const place of places) {
    const cloud = entry(place, name);
    if (!cloud) continue;
    const secret = entry(place.replace(/clouds\.yaml$/, "secure.yaml"), name);
    return {
      auth: { ...cloud.auth, ...secret?.auth },
      ...(cloud.region_name === undefined ? {} : { region: cloud.region_name }),
      interface: cloud.interface ?? "public",
    };
  }
  throw new Error(`no clouds.yaml has a cloud ${name}; looked at ${places.join(", ")}`);
}

interface CloudEntry {
  auth?: Record<string, string>;
  region_name?: string;
  interface?: string;
}

function entry(path: string, name: string): CloudEntry | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
  return (parse(text) as { clouds?: Record<string, CloudEntry> }).clouds?.[name];
}
