import assert from "node:assert/strict";
import { afterEach, beforeEach } from "node:test";
import { type Client, assertRefused } from "./load-balancers";
import type { Machine } from "./machine";

/** A request under way from `began` until `ended`, ms since the epoch. */
export interface Asked {
  url: string;
  began: number;
  ended: number;
  answer: string;
}

/** A client that asks all through each test of a file, and to whom every request has to be answered. */
export class Asking {
  private enough = false;
  private asked: Promise<Asked[]> = Promise.resolve([]);
  /** Whose failure a test allows. */
  private excused: (asked: Asked) => boolean = () => false;

  /** @param client asked for when a test begins: it is made in a file's `before` */
  constructor(private readonly client: () => Client) {
    beforeEach(() => {
      this.enough = false;
      this.excused = () => false;
      this.asked = this.ask();
    });
    afterEach(async () => {
      this.enough = true;
      const all = await this.asked;
      const failed = all.filter(({ answer }) => !/^lb[12]: (first|second)(, encrypted)?$/.test(answer));
      assert.deepEqual(
        failed.filter((asked) => !this.excused(asked)),
        [],
        `of ${all.length} requests`,
      );
    });
  }

  excuse(which: (asked: Asked) => boolean): void {
    this.excused = which;
  }

  private async ask(): Promise<Asked[]> {
    const all: Asked[] = [];
    while (!this.enough) {
      for (const url of ["http://203.0.113.48/", "https://[2001:db8:40::80]/"]) {
        const began = Date.now();
        const answer = await this.client().get(url, 10);
        all.push({ url, began, ended: Date.now(), answer });
      }
    }
    return all;
  }
}

/** A refusal or a failure in these words; then the machine is as it was, and the next push brings what it shall. */
export async function failsWith(
  lb1: Machine,
  bundle: "files" | "secrets",
  text: string,
  ...words: RegExp[]
): Promise<void> {
  const state = "cat /etc/haproxy/haproxy.cfg; openssl x509 -in /etc/haproxy/certs/www.pem -noout -fingerprint";
  const was = await lb1.output(state);
  const result = await lb1.push("load-balancer", bundle, text);
  for (const each of words) assertRefused(result, each);
  assert.equal(await lb1.output(state), was);
  assert.equal(
    await lb1.output("ls /var/lib/ha-cluster/journal 2>/dev/null || :; systemctl is-active haproxy"),
    "active",
  );
}
