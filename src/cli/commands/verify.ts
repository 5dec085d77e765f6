import type { Verification } from "../../app/judge-key.ts";
import { KeyctlError } from "../../core/errors.ts";
import type { CommandDefinition } from "../command.ts";
import { fromFileOption, readPipedSecret } from "../secret-input.ts";

export const verifyCommand: CommandDefinition = {
  name: "verify",
  section: "Use of keys",
  summary: "tell whether an issued key is accepted now",
  description:
    "Reads the key from stdin, from --from-file, or asks for it. Exit 0 when it is accepted, 13 when not. Either way the log keeps it.",
  arguments: [],
  options: [fromFileOption, { name: "scopes", value: "A,B", summary: "it must have these too" }],
  examples: [
    { command: "keyctl verify < key.txt", does: "is this key accepted" },
    {
      command: "keyctl verify --scopes orders:write -o json --from-file key.txt",
      does: "and does it allow this",
    },
  ],
  danger: "none",
  mutation: "no",
  run: async (context, input) => {
    const { verifyKey } = await import("../../app/verify-key.ts");
    const presented = await readPipedSecret({ ...context, flags: input.flags }, "Key");
    // Nothing is no key that was refused: a file is empty, or a variable of the script unset.
    if (presented.byteLength === 0)
      throw new KeyctlError("usage", "nothing was read: there is no key to verify", {
        hint: "keyctl verify < key.txt",
      });
    const session = await context.session();
    const judged = await verifyKey(session, { presented, scopes: input.flags.parts("scopes") });
    const { describeVerification } = await import("../../app/describe-verification.ts");
    const { keyPath } = await import("../render/key-view.ts");
    await context.answer.value({ ...describeVerification(judged) }, `${sentence(judged, keyPath)}\n`);
    return judged.valid ? "ok" : "not-valid";
  },
};

function sentence(judged: Verification, path: (key: NonNullable<Verification["key"]>) => string): string {
  const { valid, reason, key, version } = judged;
  if (key === null || version === null) return "not accepted: it is not a key of this tenant";
  const what = `${path(key)} version ${version.version}`;
  return valid ? `accepted: ${what}, ${version.state}` : `not accepted: ${what}, ${reason ?? "refused"}`;
}
