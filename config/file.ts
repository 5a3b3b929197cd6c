import { readFileSync } from "node:fs";
import { LineCounter, parseDocument, type ErrorCode } from "yaml";
import { Encrypted } from "./encrypted";
import type { Problem } from "./problems";

const NAMESPACE = "ha-cluster:";

/** YAML's usual mistakes in words. The library's own messages may quote the file, and with it a secret. */
const MISTAKES: Partial<Record<ErrorCode, [cause: string, mend: string]>> = {
  BAD_INDENT: [
    "is indented in a way that fits nothing above it",
    "indent the keys of one map by the same number of spaces; close quotes and brackets of the lines above",
  ],
  TAB_AS_INDENT: ["is indented with a tab", "indent with spaces"],
  DUPLICATE_KEY: ["has a key that its map has already", "keep one of the two, or give one of them another name"],
  MISSING_CHAR: [
    "lacks a character that closes or separates something",
    "look for a missing quote, bracket, comma or colon, here or above",
  ],
  BAD_SCALAR_START: ["has a value that begins with a special character", "put the value in quotes"],
  BLOCK_AS_IMPLICIT_KEY: ["has a second colon", "put a value with a colon and a space in quotes"],
  MULTILINE_IMPLICIT_KEY: [
    "has a key that goes on over several lines",
    "look for a missing colon or quote, here or above",
  ],
  MULTIPLE_DOCS: ["begins a second document", "remove the line `---`; a stack file is one document"],
};

/** What a stack file says, as far as it could be read. */
export interface Read {
  /** The keys `ha-cluster:*`, without the namespace. */
  raw: Record<string, unknown>;
  /** `openstack:cloud`. */
  cloud?: string;
  problems: Problem[];
}

/**
 * Reads the configuration out of a `Pulumi.<stack>.yaml`, without an engine, as `validate` takes it. What is `{secure: …}`
 * becomes {@link Encrypted}.
 */
export function readStackFile(path: string): Read {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    return fileProblem(
      `can't be read: ${(error as NodeJS.ErrnoException).code ?? "unknown error"}`,
      "give the path of a stack file, for example Pulumi.dev.yaml",
    );
  }
  return parseStackFile(text);
}

export function parseStackFile(text: string): Read {
  const lineCounter = new LineCounter();
  // Pulumi's own YAML library resolves merge keys.
  const document = parseDocument(text, { lineCounter, prettyErrors: false, merge: true });
  if (document.errors.length > 0) return { raw: {}, problems: syntaxProblems(document.errors, lineCounter) };
  let config: unknown;
  try {
    config = withSentinels((document.toJS() as { config?: unknown } | null)?.config ?? {}, []);
  } catch {
    return fileProblem(
      "has an alias (*name) that leads nowhere, to itself, or to far too much",
      "write the values out instead of using aliases",
    );
  }
  if (typeof config !== "object" || config === null || Array.isArray(config) || config instanceof Encrypted) {
    return fileProblem(
      "has no map under `config:`",
      "write `config:` and the keys `ha-cluster:…`, indented, on the lines below",
    );
  }
  const ours = Object.entries(config).filter(([key]) => key.startsWith(NAMESPACE));
  const cloud: unknown = (config as Record<string, unknown>)["openstack:cloud"];
  return {
    raw: Object.fromEntries(ours.map(([key, value]) => [key.slice(NAMESPACE.length), likeEngine(value)])),
    ...(typeof cloud === "string" && { cloud }),
    problems: [],
  };
}

function fileProblem(cause: string, mend: string): Read {
  return { raw: {}, problems: [{ path: "(stack file)", cause, mend }] };
}

type SyntaxFault = { code: ErrorCode; pos: [number, number] };

/** One problem per line: what else the parser says of it follows from the first, or from a tab. */
function syntaxProblems(errors: SyntaxFault[], lines: LineCounter): Problem[] {
  const byLine = new Map<number, SyntaxFault>();
  for (const error of errors) {
    const { line } = lines.linePos(error.pos[0]);
    if (!byLine.has(line) || error.code === "TAB_AS_INDENT") byLine.set(line, error);
  }
  return [...byLine].map(([line, error]) => syntaxProblem(line, error));
}

function syntaxProblem(line: number, error: SyntaxFault): Problem {
  const [cause, mend] = MISTAKES[error.code] ?? [
    "is not YAML",
    "look for a missing quote, bracket or colon, here or above",
  ];
  return { path: `(line ${line})`, cause: `${cause} (${error.code})`, mend };
}

/** Puts {@link Encrypted} where the file has `{secure: …}`. */
function withSentinels(value: unknown, around: unknown[]): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (around.includes(value)) throw new ReferenceError("a YAML alias that contains itself");
  const inside = [...around, value];
  if (Array.isArray(value)) return value.map((item) => withSentinels(item, inside));
  const entries = Object.entries(value);
  if (entries.length === 1 && entries[0]![0] === "secure" && typeof entries[0]![1] === "string") return new Encrypted();
  return Object.fromEntries(entries.map(([key, item]) => [key, withSentinels(item, inside)]));
}

/** The engine keeps a value right under a key as text, even if it looks like a number (seen with 3.259.0). */
function likeEngine(value: unknown): unknown {
  return typeof value === "number" || typeof value === "boolean" ? String(value) : value;
}
