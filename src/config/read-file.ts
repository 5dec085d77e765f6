import { readFile } from "node:fs/promises";
import { KeyctlError } from "../core/errors.ts";

/** No configuration is that long; a larger file is a mistake. */
const charactersMax = 1 << 20;

/** A file's text, or null when there is no such file. `unavailable` when it cannot be read. */
export async function readConfigFile(path: string): Promise<string | null> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw new KeyctlError("unavailable", `${path} cannot be read`, {
      hint: "check the file's permissions",
      cause: error,
    });
  }
  if (text.length > charactersMax)
    throw new KeyctlError("usage", `${path} is too large to be a configuration`);
  return text;
}
