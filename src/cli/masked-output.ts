import type { OutputReader } from "../app/ports.ts";
import { isKeyctlError } from "../core/errors.ts";
import type { KeyctlError } from "../core/errors.ts";
import type { BytePatterns } from "../leak/byte-patterns.ts";
import { Masker } from "../leak/mask.ts";
import { OutputClosed } from "./io.ts";
import type { Sink } from "./io.ts";

/**
 * Reads what a program writes and passes it on without the secrets in it, no faster than it is taken. When nobody takes it
 * any more it returns, so that the program's next write fails as in any pipe; `failed` is told of all other reasons.
 */
export function maskedReader(
  sink: Sink,
  patterns: BytePatterns,
  failed: (error: KeyctlError) => void,
): OutputReader {
  return async (chunks) => {
    const masker = new Masker(patterns);
    try {
      for await (const chunk of chunks) await pass(sink, masker.write(chunk));
      await pass(sink, masker.finish());
    } catch (error) {
      if (!isKeyctlError(error)) throw error;
      if (!(error instanceof OutputClosed)) failed(error);
    }
  };
}

async function pass(sink: Sink, bytes: Uint8Array): Promise<void> {
  if (bytes.length > 0) await sink.write(bytes);
}
