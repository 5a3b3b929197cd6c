import assert from "node:assert/strict";
import type { AppAnswer, HttpOptions } from "./http";
import { fromClient } from "./http";
import { Lab } from "../operate/lab/lab";
import { until } from "../operate/poll";

export type Family = "ipv4" | "ipv6";
export type Addresses = Record<Family, string>;

export interface ClusterFacts {
  project: "dev" | "test";
  vips: Addresses[];
  internalVip: string;
  /** Where the internet's client is in the project's external network. */
  client: Addresses;
  /** `dc1` to `dc3` unless given. */
  datacenters?: readonly string[];
}

/** A cluster of the embedded cloud, looked at from outside and inside; it knows nothing of Pulumi. */
export class Cluster {
  readonly lab: Lab;
  readonly loadBalancers: string[];
  readonly databases: string[];
  readonly appServers: string[];

  constructor(readonly facts: ClusterFacts) {
    this.lab = new Lab(facts.project);
    const { project, datacenters = ["dc1", "dc2", "dc3"] } = facts;
    this.loadBalancers = datacenters.map((name) => `${project}-lb-${name}`);
    this.databases = datacenters.map((name) => `${project}-db-${name}`);
    this.appServers = datacenters.map((name) => `${project}-app-${name}-1`);
  }

  /** All VIPs of these families, and the internal one: what has to be on one load balancer. */
  addresses(families: readonly Family[]): string[] {
    return [...this.facts.vips.flatMap((vip) => families.map((family) => vip[family])), this.facts.internalVip];
  }

  /** Every URL that the cluster answers, with the family it is reached by. */
  urls(families: readonly Family[]): { url: string; family: Family }[] {
    return this.facts.vips.flatMap((vip) =>
      families.flatMap((family) =>
        ["http", "https"].map((scheme) => ({ url: `${scheme}://${host(vip[family])}/`, family })),
      ),
    );
  }

  /** A URL of the first VIP. */
  url(family: Family, path: string): string {
    return `http://${host(this.facts.vips[0]![family])}${path}`;
  }

  /** Asks until every application server has answered; each answer has to name the real client and a row of the database. */
  async answeredByAll(url: string, family: Family, caFile: string): Promise<void> {
    const names = new Set<string>();
    await until(
      `${url} answered by ${this.appServers.join(", ")}`,
      async () => {
        const { status, body } = await fromClient(this.lab, url, secured(url, caFile));
        assert.equal(status, 200, body);
        const answer = JSON.parse(body) as AppAnswer;
        assert.equal(answer.client.realIp, this.facts.client[family]);
        assert.equal(answer.client.forwardedFor, this.facts.client[family]);
        assert.equal(answer.client.forwardedProto, url.split(":")[0]);
        assert.equal(answer.database.read, answer.database.written);
        names.add(answer.server);
        return names.size;
      },
      (count) => count === this.appServers.length,
      { seconds: 30, every: 20 },
    );
    assert.deepEqual([...names].sort(), this.appServers);
  }

  /** Writes a row through one datacenter, reads it through another, and names both. */
  async rowAcrossDatacenters(token: string): Promise<{ written: string; read: string }> {
    interface RowAnswer {
      datacenter: string;
      row: { token: string; writtenBy: { datacenter: string } };
    }
    const url = this.url("ipv4", `/rows/${token}`);
    const { status, body } = await fromClient(this.lab, url, { method: "PUT" });
    assert.equal(status, 201, body);
    const written = (JSON.parse(body) as RowAnswer).datacenter;
    const answer = await until(
      "the row from another datacenter",
      async () => JSON.parse((await fromClient(this.lab, url)).body) as RowAnswer,
      ({ datacenter }) => datacenter !== written,
    );
    assert.equal(answer.row.token, token);
    assert.equal(answer.row.writtenBy.datacenter, written);
    return { written, read: answer.datacenter };
  }

  /** Fails unless haproxy listens on every VIP of these families, on every load balancer, and without ip_nonlocal_bind. */
  async listensEverywhere(families: readonly Family[]): Promise<void> {
    for (const name of this.loadBalancers) {
      const listening = (await this.lab.on(name, "ss --no-header --tcp --listening --numeric --processes")).split("\n");
      for (const vip of this.facts.vips) {
        for (const endpoint of families.flatMap((family) => [80, 443].map((port) => `${host(vip[family])}:${port}`))) {
          const line = listening.find((each) => each.includes(` ${endpoint} `));
          assert.match(line ?? `nothing on ${endpoint} of ${name}`, /"haproxy"/);
        }
      }
      const sysctl = "/proc/sys/net/ipv4/ip_nonlocal_bind /proc/sys/net/ipv6/ip_nonlocal_bind";
      assert.equal((await this.lab.on(name, `cat ${sysctl}`)).trim(), "0\n0");
    }
  }

  /** Per address, the load balancers that have it on an interface now. */
  async holders(addresses: readonly string[]): Promise<string[][]> {
    const shown = await Promise.all(
      this.loadBalancers.map(async (name) => ({ name, ...(await this.lab.ssh(name, "ip -oneline address show")) })),
    );
    // A machine that is off answers with an error, and has no address.
    return addresses.map((address) =>
      shown.filter(({ code, stdout }) => code === 0 && stdout.includes(` ${address}/`)).map(({ name }) => name),
    );
  }

  /** Waits until all these addresses are on one and the same load balancer, and says which. */
  async master(addresses: readonly string[], seconds = 30): Promise<string> {
    const seen = await until(
      `${addresses.join(", ")} on one load balancer`,
      () => this.holders(addresses),
      (each) => each.every((names) => names.length === 1 && names[0] === each[0]![0]),
      { seconds },
    );
    return seen[0]![0]!;
  }

  /** Waits until this load balancer serves as a backup. */
  async backup(name: string, seconds = 60): Promise<void> {
    await until(
      `${name} to serve as a backup`,
      () =>
        this.lab.ssh(name, "cat /run/ha-cluster/group-VG_1; /opt/ha-cluster/check-haproxy.sh && echo haproxy answers"),
      ({ stdout }) => stdout.includes("BACKUP") && stdout.includes("haproxy answers"),
      { seconds },
    );
  }
}

/** What curl needs to verify the certificate behind a URL by address. */
export function secured(url: string, caFile: string): HttpOptions {
  return url.startsWith("https:") ? { caFile, hostname: "www.example.com" } : {};
}

/** As in a URL and in ss(8): brackets around IPv6 only. */
function host(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}
