import { readFileSync, writeFileSync } from "node:fs";
import { isMap, isScalar, isSeq, parseDocument, type Document } from "yaml";

/** A stack file that keeps its comments and layout while parts of it change. */
export class StackFile {
  private constructor(private readonly document: Document) {}

  static read(path: string): StackFile {
    return new StackFile(parseDocument(readFileSync(path, "utf8")));
  }

  /** The value of `ha-cluster:<path>`, as it stands in the file. */
  get(path: string): unknown {
    return this.document.getIn(keys(path));
  }

  /** Sets `ha-cluster:<path>`, or another namespace's key when `path` names one; e.g. `vips.www.ipv4`. */
  set(path: string, value: unknown): this {
    this.document.setIn(keys(path), this.document.createNode(value));
    return this;
  }

  delete(path: string): this {
    this.document.deleteIn(keys(path));
    return this;
  }

  /** The same cluster before the IPv6 rollout. */
  withoutIpv6(): this {
    this.delete("external.ipv6");
    const ranges = this.document.getIn(keys("external.vipRanges"));
    if (isSeq(ranges))
      ranges.items = ranges.items.filter((item) => !(isScalar(item) && String(item.value).includes(":")));
    const vips = this.document.getIn(keys("vips"));
    if (isMap(vips)) for (const vip of vips.items) if (isMap(vip.value)) vip.value.delete("ipv6");
    return this;
  }

  write(path: string): string {
    // Quoted, as Pulumi's YAML parser takes less for a plain text than this one writes as such, e.g. no {a: /b?c}.
    const text = this.document.toString({ lineWidth: 0, defaultStringType: "QUOTE_DOUBLE", defaultKeyType: "PLAIN" });
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  }
}

function keys(path: string): string[] {
  const [first, ...rest] = path.split(".");
  return ["config", first!.includes(":") ? first! : `ha-cluster:${first}`, ...rest];
}
