import http from "node:http";
import https from "node:https";
import { TLSSocket } from "node:tls";

/** What this machine, as a client, gets from one URL. */
export interface Answer {
  url: string;
  status?: number;
  /** SHA-256 of the certificate that was served. */
  fingerprint?: string;
  /** Code of what went wrong, as Node.js has it, e.g. ECONNREFUSED. */
  error?: string;
}

const LIMIT_MS = 5000;

/**
 * Asks once, over a connection of its own. Certificates are compared with the deployed one, not trusted: many are signed
 * by an authority that this machine does not know.
 *
 * @param serverName sent in the TLS handshake (SNI)
 */
export function ask(url: string, serverName?: string): Promise<Answer> {
  return new Promise((resolve) => {
    const options = { agent: false, timeout: LIMIT_MS } as const;
    const secure = {
      ...options,
      rejectUnauthorized: false,
      ...(serverName === undefined ? {} : { servername: serverName }),
    };
    const request = url.startsWith("https:") ? https.get(url, secure) : http.get(url, options);
    request.on("response", (response) => {
      const answer: Answer = { url, status: response.statusCode ?? 0 };
      if (response.socket instanceof TLSSocket) {
        answer.fingerprint = response.socket.getPeerCertificate().fingerprint256;
      }
      response.destroy();
      resolve(answer);
    });
    request.on("timeout", () => request.destroy(Object.assign(new Error("timeout"), { code: "ETIMEDOUT" })));
    request.on("error", (error: NodeJS.ErrnoException) => resolve({ url, error: error.code ?? error.message }));
  });
}
