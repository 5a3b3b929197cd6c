import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Cluster, Family } from "../../harness/cluster";
import { CERTIFICATE } from "../support/specs";
import type { Order } from "./client";
import type { Witnesses } from "./witnesses";

/** How a command is run elsewhere. */
type Via = (...command: string[]) => [file: string, args: string[]];

/** A download, a WebSocket and a kept connection by each family; HTTP and HTTPS take turns. */
export function holders(
  witnesses: Witnesses,
  cluster: Cluster,
  path: string,
  says: (family: Family) => string,
  via: Via,
): Witnesses {
  const order = (kind: Order["kind"], family: Family, secure: boolean, to: string): Order => {
    const url = cluster.url(family, to);
    return {
      kind,
      witness: `${kind} ${family}${secure ? " TLS" : ""}`,
      contains: says(family),
      ...(secure ? { url: url.replace("http:", "https:"), ca: CERTIFICATE, servername: "www.example.com" } : { url }),
    };
  };
  const orders = [
    order("download", "ipv4", false, "/download"),
    order("download", "ipv6", true, "/download"),
    order("socket", "ipv4", true, "/socket"),
    order("socket", "ipv6", false, "/socket"),
    order("kept", "ipv4", false, path),
    order("kept", "ipv6", true, path),
  ];
  const command = via(process.execPath, "--import", "tsx", join(__dirname, "client.ts"), JSON.stringify(orders));
  return witnesses.add(
    orders.map(({ witness }) => witness),
    command,
  );
}

/** A session from an application server, which `on` runs a shell's command on as root, with the application's own settings. */
export function databaseSession(
  witnesses: Witnesses,
  on: (script: string) => [file: string, args: string[]],
): Witnesses {
  const name = "session";
  const script = readFileSync(join(__dirname, "session.py")).toString("base64");
  const settings = ["/etc/ha-cluster/app.env", "/etc/ha-cluster/secrets/app.env"].map(
    (file) => `-p EnvironmentFile=${file}`,
  );
  return witnesses.add(
    [name],
    on(
      `exec systemd-run -q --pipe --wait --collect ${settings.join(" ")} /usr/bin/python3 -Bc "$(echo ${script} | base64 -d)" ${name}`,
    ),
  );
}
