import { exec } from "../../../operate/exec";
import { until } from "../../../operate/poll";
import { APP_ADDRESS } from "./app";
import { edit } from "./bundles";
import type { Client } from "./load-balancers";
import type { Machine } from "./machine";

/** The fixture's haproxy answers at once: here a server behind it does, and takes its time. */
export function behind(text: string): string {
  return edit(
    text
      .replaceAll(/timeout (\w+) \d+s/g, "timeout $1 60s")
      .replace("hard-stop-after 10s", "hard-stop-after 10m")
      .replaceAll(/ {4}http-request return status 200 .*\n/g, "    default_backend app\n"),
    "frontend http-in\n",
    `backend app\n    server app ${APP_ADDRESS}:8080\n\nfrontend http-in\n`,
  );
}

let clientPort = 40_000;

/** A connection that asks once a second from a port of its own, and tells what it got after the last. */
export function keptAlive(client: Client, requests: number): { port: number; kept: Promise<string> } {
  const port = clientPort++;
  const script = `
    const { Agent, get } = require("node:http");
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const sockets = new Set();
    const ask = (left) => get({ host: "203.0.113.48", agent, ...(left === ${requests} && { localPort: ${port} }) }, (answer) => {
      sockets.add(answer.socket.localPort);
      answer.resume().on("end", () => left > 1 ? setTimeout(ask, 1000, left - 1) : console.log("answered over " + sockets.size));
    }).on("error", ({ code }) => console.log(code));
    ask(${requests});`;
  const [file, args] = client.inside(process.execPath, "-e", script);
  const ended = exec(file, args, { timeout: 90_000 });
  return { port, kept: ended.then(({ code, stdout }) => (code === 0 ? stdout.trim() : "silence")) };
}

/** Connections of clients that have gone may be left for a while: it has to be this one. */
export async function connected(machine: Machine, port: number): Promise<void> {
  await until(
    "the connection",
    () => machine.output(`ss -Htn state established src 203.0.113.48 dport = :${port}`),
    (shown) => shown !== "",
  );
}
