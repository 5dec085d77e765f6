import type { PrivateFiles } from "../app/ports.ts";

/** An answer on its way to `--out-file`. The file appears, whole, at `finish`; after `abandon` there is none. */
export interface AnswerFile {
  write(data: Uint8Array): Promise<void>;
  finish(): Promise<void>;
  abandon(): Promise<void>;
}

/** Begins writing at the first data, so that a command that fails early touches nothing. */
export function createAnswerFile(path: string, files: () => Promise<PrivateFiles>): AnswerFile {
  let begun: { writer: WritableStreamDefaultWriter<Uint8Array>; written: Promise<void> } | null = null;
  const begin = async (): Promise<NonNullable<typeof begun>> => {
    const target = await files();
    const pipe = new TransformStream<Uint8Array, Uint8Array>();
    const written = target.writePrivate(path, pipe.readable);
    // Told by `finish` or by the failing write. A writer that failed before it read would leave the pipe waiting for ever;
    // one that had begun to read holds the lock, and has cancelled the pipe itself.
    written.catch(async () => await pipe.readable.cancel().catch(() => undefined));
    return { writer: pipe.writable.getWriter(), written };
  };
  return {
    write: async (data) => {
      const { writer, written } = (begun ??= await begin());
      await unlessFailed(writer.write(data), written);
    },
    finish: async () => {
      const { writer, written } = (begun ??= await begin());
      await unlessFailed(writer.close(), written);
      await written;
    },
    abandon: async () => {
      if (begun === null) return;
      begun.writer.abort().catch(() => undefined);
      await begun.written.catch(() => undefined);
    },
  };
}

/** Waits for the pipe; when its reader failed, that failure counts and not that the pipe broke because of it. */
async function unlessFailed(step: Promise<void>, written: Promise<void>): Promise<void> {
  const taken = step.catch(async (error: unknown) => {
    await written;
    throw error;
  });
  await Promise.race([taken, written]);
}
