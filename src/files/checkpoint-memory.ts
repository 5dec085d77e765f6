import { createHash } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { CheckpointMemory, PrivateFiles } from "../app/ports.ts";
import { KeyctlError } from "../core/errors.ts";

/** Remembers, in one small file per log, the largest checkpoint that this client has seen. */
export class FileCheckpointMemory implements CheckpointMemory {
  readonly #folder: string;
  readonly #files: PrivateFiles;

  constructor(folder: string, files: PrivateFiles) {
    this.#folder = folder;
    this.#files = files;
  }

  async recall(origin: string): Promise<string | null> {
    try {
      return await readFile(this.#path(origin), "utf8");
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
      throw new KeyctlError("unavailable", `the remembered checkpoints in ${this.#folder} cannot be read`, {
        hint: "check the folder's permissions",
        cause: error,
      });
    }
  }

  /** Keeps the note unless a larger one is known. */
  async remember(origin: string, note: string): Promise<void> {
    const known = await this.recall(origin);
    if (known !== null && sizeOf(known) >= sizeOf(note)) return;
    await mkdir(this.#folder, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
      throw new KeyctlError("unavailable", `${this.#folder} cannot be made`, {
        hint: "check the folder's permissions",
        cause: error,
      });
    });
    await this.#files.writePrivate(this.#path(origin), new TextEncoder().encode(note));
  }

  /** An origin has slashes; its hash makes a file name. */
  #path(origin: string): string {
    return join(this.#folder, `${createHash("sha256").update(origin).digest("hex").slice(0, 32)}.txt`);
  }
}

/** The second line of a checkpoint is the log's size. */
function sizeOf(note: string): number {
  return Number(note.split("\n")[1] ?? "0");
}
