import * as pulumi from "@pulumi/pulumi";
import { type Variant, varyBundle } from "../variant";

/** Every bundle on its way to a machine becomes the variant that the environment names. */
const variant = (process.env.HA_CLUSTER_BENCH_VARIANT ?? "base") as Variant;

pulumi.runtime.registerStackTransformation(({ type, name, props, opts }) => {
  if (type !== "command:remote:Command" || !/-(config|secrets)$/.test(name)) return undefined;
  const stdin = props.stdin as string | pulumi.Output<string>;
  const varied =
    typeof stdin === "string" ? varyBundle(stdin, variant) : stdin.apply((text) => varyBundle(text, variant));
  return { props: { ...props, stdin: varied }, opts };
});
