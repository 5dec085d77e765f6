import { KeyctlError } from "../core/errors.ts";
import type { Secret } from "../core/secret.ts";
import type { Io } from "./io.ts";
import { withoutNewline } from "./secret-input.ts";

const passphraseBytesMax = 4096;

/** From the file or descriptor that the environment names, else asked for on the terminal; never from a flag. */
export async function readPassphrase(
  io: Pick<Io, "env" | "readFile" | "openPrompter">,
  options: { isNew: boolean },
): Promise<Secret> {
  const descriptor = io.env["KEYCTL_PASSPHRASE_FD"] ?? "";
  const path = descriptor === "" ? (io.env["KEYCTL_PASSPHRASE_FILE"] ?? "") : `/dev/fd/${descriptor}`;
  if (descriptor !== "" && !/^[0-9]{1,4}$/.test(descriptor)) {
    throw new KeyctlError("usage", "KEYCTL_PASSPHRASE_FD is not the number of an open descriptor");
  }
  if (path !== "") {
    return withoutNewline(await io.readFile(path, passphraseBytesMax));
  }
  const prompter = await io.openPrompter();
  if (prompter === null) {
    throw new KeyctlError(
      "unauthenticated",
      "the vault opens with a passphrase, and there is no terminal to ask on",
      {
        hint: "KEYCTL_PASSPHRASE_FILE=PATH or KEYCTL_PASSPHRASE_FD=N gives it",
      },
    );
  }
  try {
    const passphrase = await prompter.password(
      options.isNew ? "New passphrase of the vault" : "Passphrase of the vault",
    );
    // A typing error in a new one would lock the vault for ever.
    if (!options.isNew || (await prompter.password("The same once more")).equals(passphrase))
      return passphrase;
    throw new KeyctlError("usage", "the two passphrases differ: nothing was made", {
      hint: "keyctl init --vault-key passphrase",
    });
  } finally {
    prompter.close();
  }
}
