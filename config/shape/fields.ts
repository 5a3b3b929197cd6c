import { z } from "zod";
import { Encrypted } from "../encrypted";

/** What a message says of a field: what belongs there, and an example as it stands in YAML. */
export interface Field {
  what: string;
  example: string;
  /** It is set with `pulumi config set --secret`, and must never be shown. */
  secret?: boolean;
  /** It is no secret itself, but it is not shown either: a secret may be in it, if only by mistake. */
  hidden?: boolean;
}

export const fields = z.registry<Field>();

/** Carried by zod's custom issues, so that every rule words its own message. */
export interface Fault {
  cause: string;
  mend: string;
}

/** A rule on a value of the right type; `fault` returns what is wrong with it. */
function rule<T>(fault: (value: T) => Fault | undefined): (context: z.core.ParsePayload<T>) => void {
  return (context) => {
    const found = fault(context.value);
    if (found)
      context.issues.push({ code: "custom", input: context.value, params: { ...found }, message: found.cause });
  };
}

/** One line of printable text: it ends up in file lines and in names, where a line break would be a line of its own. */
export function text(what: string, example: string) {
  return z
    .string()
    .check(
      rule((value) => {
        if (value.trim() === "")
          return { cause: `has no value; ${what} belongs here`, mend: `write for example \`${example}\`` };
        if (!/[\p{Cc}\p{Zl}\p{Zp}]/u.test(value)) return undefined;
        return {
          cause: "contains a line break or another control character",
          mend: `write ${what} on one line, for example \`${example}\``,
        };
      }),
    )
    .register(fields, { what, example });
}

/** A text of many lines, such as a certificate. */
export function block(what: string, example: string) {
  return z
    .string()
    .check(
      rule((value) =>
        value.trim() === "" ? { cause: `has no value; ${what} belongs here`, mend: `write ${example}` } : undefined,
      ),
    )
    .register(fields, { what, example, hidden: true });
}

export function secret(what: string, example: string) {
  return z.union([z.string(), z.instanceof(Encrypted)]).register(fields, { what, example, secret: true });
}

export function wholeNumber(noun: string, least: number, most: number, example: number) {
  const what = `${noun} (a whole number from ${least} to ${most})`;
  return z
    .number()
    .check(
      rule((value) => {
        if (Number.isInteger(value) && value >= least && value <= most) return undefined;
        return {
          cause: `${value} is not ${what}`,
          mend: `write a whole number from ${least} to ${most}, for example \`${example}\``,
        };
      }),
    )
    .register(fields, { what, example: String(example) });
}

export function port(example: number) {
  return wholeNumber("a port", 1, 65535, example);
}

export function yesNo() {
  return z.boolean().register(fields, { what: "a yes/no value", example: "true" });
}

/** One value for all datacenters, or a map with one per datacenter. */
export function perDatacenter<T extends z.ZodType>(value: T, what: string, example: string) {
  const either = z.union([value, z.record(z.string(), value)]);
  // Not `register`: its type can't be resolved while T is open.
  fields.add(either, { what: `${what}, or a map with one per datacenter,`, example });
  return either;
}
