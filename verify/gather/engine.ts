import type { Stack } from "../../operate/stack";

/** One resource of `pulumi preview --json` or `pulumi refresh --preview-only --json`. */
export interface Step {
  op: string;
  urn: string;
  diffReasons?: string[];
  oldState?: State;
  newState?: State;
}

interface State {
  type: string;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
}

/** Where the cloud differs from the state, through the very provider that deploys; it changes nothing. */
export function readDrift(stack: Stack): Promise<Step[]> {
  return steps(stack, ["refresh", "--preview-only"]);
}

/** Where the stack file, or the program, says other than what was deployed. */
export function readAhead(stack: Stack): Promise<Step[]> {
  return steps(stack, ["preview"]);
}

/** What `pulumi up` with these options would do, from its own preview. */
export function readPlanned(stack: Stack, options: readonly string[], env: NodeJS.ProcessEnv): Promise<Step[]> {
  return steps(stack, ["preview", ...options], env);
}

async function steps(stack: Stack, command: string[], env = stack.env): Promise<Step[]> {
  const { name, configFile } = stack.options;
  const file = configFile === undefined ? [] : ["--config-file", configFile];
  const { code, stdout, stderr } = await stack.pulumi([...command, "--json", "--stack", name, ...file], { env });
  let parsed: { steps?: Step[]; diagnostics?: { message: string; severity: string }[] };
  try {
    parsed = JSON.parse(stdout) as typeof parsed;
  } catch {
    throw new Error(lastLines(stderr || stdout));
  }
  if (code !== 0) {
    const errors = (parsed.diagnostics ?? []).filter(({ severity }) => severity === "error");
    throw new Error(lastLines(errors.map(({ message }) => message).join("\n") || stderr));
  }
  return (parsed.steps ?? []).filter(({ op }) => op !== "same" && op !== "refresh" && op !== "read");
}

function lastLines(text: string): string {
  return text.trim().split("\n").slice(-3).join(" ");
}
