import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** Of the machines' image; all of these are in a finished one. */
const MARKS = ["usr/sbin/keepalived", "usr/sbin/haproxy", "usr/sbin/mariadbd", "usr/bin/gunicorn", "usr/bin/curl"];

/** Root of the lab's newest image; machines only ever see it through an overlay. */
export function findImage(): string {
  const cache = process.env["HA_CLUSTER_CACHE"] ?? "/var/cache/ha-cluster";
  const images = (existsSync(cache) ? readdirSync(cache) : [])
    .filter((name) => name.startsWith("image-"))
    .map((name) => join(cache, name))
    .filter((path) => MARKS.every((mark) => existsSync(join(path, mark))))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  if (images[0] === undefined) {
    throw new Error(`no image of the lab's machines in ${cache}: build it first, with "npm run lab -- up"`);
  }
  return images[0];
}
