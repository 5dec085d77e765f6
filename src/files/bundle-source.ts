import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { KeyctlError } from "../core/errors.ts";

/** Opens files of an export bundle in a folder; null for one that is not there. */
export function bundleSource(folder: string): (name: string) => Promise<AsyncIterable<Uint8Array> | null> {
  return async (name) => {
    const path = join(folder, name);
    try {
      const file = await open(path, "r");
      const isFile = (await file.stat()).isFile();
      await file.close();
      if (!isFile) return null;
    } catch (error) {
      if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR"))
        return null;
      throw new KeyctlError("unavailable", `${path} cannot be read`, {
        hint: "check the file's permissions",
        cause: error,
      });
    }
    return createReadStream(path);
  };
}
