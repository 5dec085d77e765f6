import type { KeySelector } from "../../app/find-key.ts";
import { KeyctlError } from "../../core/errors.ts";
import { parseKeyPath } from "../../core/key-name.ts";
import type { ArgumentDefinition, CommandInput, OptionDefinition } from "../command.ts";
import type { Flags } from "../flags.ts";

export const nameArgument: ArgumentDefinition = {
  name: "NAME",
  summary: "the key: name, env/name or tenant/env/name",
  required: false,
  completes: "key",
};

export const idOption: OptionDefinition = {
  name: "id",
  value: "ID",
  summary: "the key's UUID, or the public id inside an issued key, instead of NAME",
};

/** The one key that a command means: NAME or `--id`, not both. */
export function readTarget(input: CommandInput): KeySelector {
  const [path] = input.args;
  const id = input.flags.text("id");
  if (path !== undefined && id === null) return { path: readPath(path, input.flags) };
  if (id !== null && path === undefined) return { id };
  throw new KeyctlError(
    "usage",
    path === undefined
      ? "which key: NAME or --id is missing"
      : "NAME and --id name one key: give one of them",
    {
      hint: "keyctl list",
    },
  );
}

/** A key's path; `usage` when it says another environment or tenant than `--env` or `--tenant` does. */
export function readPath(path: string, flags: Flags): string {
  const said = { env: flags.text("env"), tenant: flags.text("tenant") };
  if (said.env === null && said.tenant === null) return path;
  const { env, tenant } = parseKeyPath(path);
  assertSame(path, said.env, env);
  assertSame(path, said.tenant, tenant);
  return path;
}

function assertSame(path: string, flag: string | null, part: string | undefined): void {
  if (flag === null || part === undefined || flag === part) return;
  throw new KeyctlError("usage", `NAME says ${part}, and a flag says ${flag}`, {
    hint: `leave the flag out, or the part of ${path} before the name`,
  });
}

export const deletedNameArgument: ArgumentDefinition = { ...nameArgument, completes: "deleted-key" };

/** Of verbs that want one from everybody. */
export const reasonOption: OptionDefinition = {
  name: "reason",
  value: "TEXT",
  summary: "why, for the audit log; needed",
};

export const serviceOption: OptionDefinition = {
  name: "service",
  value: "NAME",
  summary: "the service for which it is opened, for keys that only named services may use",
};
