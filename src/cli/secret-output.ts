import { KeyctlError, isKeyctlError } from "../core/errors.ts";
import type { Secret } from "../core/secret.ts";
import { secretText } from "../core/secret-text.ts";
import type { CommandContext } from "./context.ts";
import { cleanText, printableJson } from "./foreign-text.ts";
import { isCi } from "./io.ts";
import type { Json } from "./render/view.ts";

/** A version that was just made active, whose secret is shown now or never. */
export interface FreshSecret {
  /** As a person names the key: `prod/payments`. */
  keyPath: string;
  version: number;
  secret: Secret;
  /** The answer's other fields, for JSON. */
  json: { readonly [field: string]: Json };
}

/** Refuses, before anything is done, a format in which a secret that is shown once would be lost. */
export function assertFormatShowsSecret(context: Pick<CommandContext, "answer" | "globals">): void {
  const { format } = context.answer;
  if (context.globals.outFile !== null || (format !== "csv" && format !== "name")) return;
  throw new KeyctlError(
    "usage",
    `-o ${format} would not show the new key's secret, which is shown only once`,
    {
      hint: "-o json, or --out-file PATH for the secret",
    },
  );
}

/**
 * Prints an issued key, once: as the field `secret` in JSON, else alone on stdout, so that `keyctl create … > file` works.
 * When it cannot be written the version is active all the same: `indeterminate`, with the way out.
 */
export async function deliverSecret(
  context: Pick<CommandContext, "answer" | "talk" | "io">,
  fresh: FreshSecret,
): Promise<void> {
  const { answer, talk, io } = context;
  const bytes = fresh.secret.reveal();
  try {
    if (answer.format === "json" || answer.format === "jsonl") {
      const whole = { ...fresh.json, secret: new TextDecoder().decode(bytes) };
      await talk.deliver(`${JSON.stringify(whole, null, answer.format === "json" ? 2 : 0)}\n`);
    } else {
      if (io.stdout.isTTY) talk.warn("this is the only time that the key is shown: keep it now");
      await talk.flush();
      await talk.deliver(Buffer.concat([bytes, Buffer.from("\n")]));
    }
  } catch (error) {
    if (!isKeyctlError(error)) throw error;
    throw new KeyctlError(
      "indeterminate",
      `version ${fresh.version} of ${fresh.keyPath} is active, its secret was not delivered`,
      {
        hint: `${fresh.version > 1 ? `keyctl rollback ${fresh.keyPath}, or ` : ""}keyctl rotate ${fresh.keyPath}`,
        cause: error,
      },
    );
  }
}

/** Writes a value that was opened: its exact bytes, or in JSON beside `fields`, in base64 when it is not UTF-8. */
export async function deliverValue(
  { answer, talk, io }: Pick<CommandContext, "answer" | "talk" | "io">,
  secret: Secret,
  fields: FreshSecret["json"],
): Promise<void> {
  if (answer.format !== "json" && answer.format !== "jsonl") {
    await talk.deliver(secret.reveal());
    return;
  }
  const text = secretText(secret);
  const value = text ?? Buffer.from(secret.reveal()).toString("base64");
  const whole = { ...fields, encoding: text === null ? "base64" : "utf8", secret: value };
  const json = JSON.stringify(whole, null, answer.format === "json" ? 2 : 0);
  await talk.deliver(`${printableJson(json, isCi(io.env))}\n`);
}

/** Shows a value to a person: what a terminal would obey stands there as escapes. `refused` for bytes that are no text. */
export async function showValue({ talk }: Pick<CommandContext, "talk">, secret: Secret): Promise<void> {
  const text = secretText(secret);
  if (text === null) {
    throw new KeyctlError("refused", "the value is not text: a terminal cannot show it", {
      hint: "--out-file PATH writes its bytes to a file",
    });
  }
  const shown = text.split("\n").map(cleanText).join("\n");
  await talk.flush();
  await talk.deliver(shown.endsWith("\n") ? shown : `${shown}\n`);
  if (shown !== text) talk.warn("parts of it are shown as escapes: --out-file PATH writes its exact bytes");
}
