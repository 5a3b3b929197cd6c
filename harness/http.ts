import { exec } from "../operate/exec";
import type { Lab } from "../operate/lab/lab";

export interface Answer {
  status: number;
  body: string;
}

/** What the sample application says of itself and of the request. */
export interface AppAnswer {
  server: string;
  datacenter: string;
  client: { realIp: string; forwardedFor: string; forwardedProto: string };
  database: { server: string; written: string; read: string };
}

export interface HttpOptions {
  method?: string;
  data?: string;
  headers?: string[];
  /** PEM file that has to have signed the server's certificate. */
  caFile?: string;
  /** Name in the certificate; the URL's address is what is dialled. */
  hostname?: string;
}

/** One request from the internet's side, with curl, as an operator would try it. */
export async function fromClient(lab: Lab, url: string, options: HttpOptions = {}): Promise<Answer> {
  const { code, stdout, stderr } = await lab.client("curl", ...curlArguments(url, options));
  if (code !== 0) throw new Error(`curl ${url} ended with ${code}: ${stderr.trim()}`);
  return split(stdout);
}

/** The same from the machine itself, which stands where the provider's router does. */
export async function fromHost(url: string, options: HttpOptions = {}): Promise<Answer> {
  const { code, stdout, stderr } = await exec("curl", curlArguments(url, options));
  if (code !== 0) throw new Error(`curl ${url} ended with ${code}: ${stderr.trim()}`);
  return split(stdout);
}

function curlArguments(url: string, { method, data, headers = [], caFile, hostname }: HttpOptions): string[] {
  const target = new URL(url);
  const port = target.port || (target.protocol === "https:" ? "443" : "80");
  const named = hostname === undefined ? url : url.replace(target.host, hostname + (target.port ? `:${port}` : ""));
  return [
    "--silent",
    "--show-error",
    "--globoff",
    "--max-time",
    "5",
    "--write-out",
    "\n%{http_code}",
    ...(method === undefined ? [] : ["--request", method]),
    ...(data === undefined ? [] : ["--data-binary", data]),
    ...headers.flatMap((header) => ["--header", header]),
    ...(caFile === undefined ? [] : ["--cacert", caFile]),
    ...(hostname === undefined ? [] : ["--resolve", `${hostname}:${port}:${target.hostname}`]),
    named,
  ];
}

function split(output: string): Answer {
  const at = output.lastIndexOf("\n");
  return { status: Number(output.slice(at + 1)), body: output.slice(0, at) };
}
