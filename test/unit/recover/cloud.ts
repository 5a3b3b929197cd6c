import { createServer, type Server as Http } from "node:http";
import type { AddressInfo } from "node:net";
import type { Inventory, Server } from "../../../recover/inventory";
import { nothingThere } from "./project";

const LISTS: Record<string, (cloud: Inventory) => object> = {
  "/v2.0/networks": ({ networks }) => ({ networks }),
  "/v2.0/subnets": ({ subnets }) => ({ subnets }),
  "/v2.0/ports": ({ ports }) => ({ ports }),
  "/v2.0/security-groups": ({ groups }) => ({ security_groups: groups }),
  "/v2.0/security-group-rules": ({ rules }) => ({ security_group_rules: rules }),
  "/servers/detail": ({ servers }) => ({ servers }),
  "/os-server-groups": ({ serverGroups }) => ({ server_groups: serverGroups }),
};

/** Keystone, Nova and Neutron, as far as `npm run recover` asks them, with what they were told to change. */
export class FakeCloud {
  inventory = nothingThere();
  /** Methods and paths of all that was no question, and in which status the server was. */
  readonly told: string[] = [];
  /** What becomes of a server that is asked for. */
  becomes: (server: Server) => void = () => undefined;
  private readonly http: Http;

  private constructor() {
    this.http = createServer((request, response) => {
      const say = (code: number, body?: object): void => {
        response.writeHead(code, { "X-Subject-Token": "token" });
        response.end(body && JSON.stringify(body));
      };
      const { pathname: path, searchParams } = new URL(request.url!, this.url);
      const id = /^\/servers\/([^/]+)/.exec(path)?.[1];
      const list = LISTS[path];
      const mine = !path.startsWith("/v2.0/") || searchParams.get("project_id") === "p";
      if (path === "/v3/auth/tokens") say(201, { token: { project: { id: "p" }, catalog: this.catalog() } });
      else if (request.method === "GET" && list && mine) {
        say(200, list(this.inventory));
        if (path === "/servers/detail") this.inventory.servers.forEach(this.becomes);
      } else if (request.method === "GET") say(403, { forbidden: { message: "not for you, as key pairs" } });
      else {
        const status = this.inventory.servers.find((each) => each.id === id)?.status;
        this.told.push(`${request.method!} ${path} ${status ?? "gone"}`);
        if (request.method === "DELETE")
          this.inventory.servers = this.inventory.servers.filter((each) => each.id !== id);
        say(200, {});
      }
    });
  }

  static async start(): Promise<FakeCloud> {
    const cloud = new FakeCloud();
    await new Promise<void>((resolve) => cloud.http.listen(0, "127.0.0.1", resolve));
    return cloud;
  }

  stop(): void {
    this.http.closeAllConnections();
    this.http.close();
  }

  get environment(): Record<string, string> {
    return { OS_AUTH_URL: this.url, OS_USERNAME: "u", OS_PASSWORD: "x", OS_PROJECT_NAME: "p" };
  }

  private get url(): string {
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}`;
  }

  private catalog(): object[] {
    const endpoints = [{ interface: "public", region: "r", url: this.url }];
    return ["compute", "network"].map((type) => ({ type, endpoints }));
  }
}
