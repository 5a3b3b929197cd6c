import { exec, type ExecOptions } from "../operate/exec";
import { deployed, type Deployed, type Pending, type Resource } from "./deployed";

/**
 * What the state has of a stack, as `pulumi stack export` reads it: also inside a running `up` or `preview`, and without
 * the passphrase, as no secret is shown. Not the stack's outputs: a failed `up` writes the new plan's as if it were done.
 *
 * @throws with pulumi's words when there is no such stack, or no pulumi on PATH
 */
export async function readState(stack: string, options: ExecOptions = {}): Promise<Deployed> {
  const args = ["stack", "export", "--stack", stack, "--non-interactive"];
  const { code, stdout, stderr } = await exec("pulumi", args, options).catch((error: unknown) => {
    throw (error as NodeJS.ErrnoException).code === "ENOENT"
      ? new Error("pulumi is not on PATH", { cause: error })
      : error;
  });
  if (code !== 0) throw new Error(stderr.trim().replace(/^error: /, ""));
  const { deployment } = JSON.parse(stdout) as {
    deployment: { resources?: Resource[]; pending_operations?: Pending[] };
  };
  return deployed(deployment.resources ?? [], deployment.pending_operations ?? []);
}
