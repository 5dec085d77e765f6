import { open, readFile, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { KeyctlError } from "../core/errors.ts";

/** More than this is not taken into memory. */
const bytesMaxDefault = 512 * 1024 * 1024;
const attemptsMax = 5;
const pauseMs = 20;

const magic = Buffer.from("SQLite format 3\0", "latin1");
const headerBytes = 100;
/** Write and read version in the header (SQLite file format §1.3.3): 2 asks for a write-ahead log, 1 for none. */
const versionsAt = 18;

/**
 * A SQLite database as it is on the disk right now, with what its write-ahead log adds, as one image for an in-memory
 * database. SQLite itself cannot read a file in WAL mode without making or changing files beside it; this only reads.
 * Null when there is no such file; `incomplete` when it is too large or never stands still, `unavailable` when it
 * cannot be read.
 */
export async function readDatabaseImage(path: string, bytesMax = bytesMaxDefault): Promise<Buffer | null> {
  for (let attempts = 1; ; attempts += 1) {
    const before = await markOf(path);
    if (before === null) return null;
    if (before.bytes > bytesMax) throw tooLarge(path, bytesMax);
    const database = await contentOf(path);
    const log = await contentOf(`${path}-wal`);
    if (database !== null && (await markOf(path))?.mark === before.mark)
      return withLog(database, log ?? noLog);
    if (attempts === attemptsMax) {
      throw new KeyctlError(
        "incomplete",
        `${path} is being written to all the time: it was not looked into`,
        {
          hint: "run it again when less is going on",
        },
      );
    }
    await pause(pauseMs);
  }
}

const noLog = Buffer.alloc(0);

/** The database's pages with the log's committed ones in their places (SQLite file format §4.3), marked as needing no log. */
export function withLog(database: Buffer, log: Buffer): Buffer {
  const committed = committedFrames(log);
  const image = Buffer.alloc(committed?.bytes ?? database.length);
  database.copy(image);
  for (const { at, page } of committed?.frames ?? []) {
    if (at + page.length <= image.length) page.copy(image, at);
  }
  const isDatabase = image.length >= headerBytes && image.subarray(0, magic.length).equals(magic);
  if (isDatabase) image.fill(1, versionsAt, versionsAt + 2);
  return image;
}

const logHeaderBytes = 32;
const frameHeaderBytes = 24;
const logVersion = 3_007_000;

interface Frame {
  /** Where the page stands in the database. */
  at: number;
  page: Buffer;
}

/** Frames up to the last whole commit, and the database's size after it; null when the log holds no commit. */
function committedFrames(log: Buffer): { frames: Frame[]; bytes: number } | null {
  if (log.length < logHeaderBytes || log.readUInt32BE(4) !== logVersion) return null;
  const kind = log.readUInt32BE(0);
  if (kind !== 0x377f0682 && kind !== 0x377f0683) return null;
  const pageSize = log.readUInt32BE(8);
  if (pageSize < 512 || pageSize > 65_536 || (pageSize & (pageSize - 1)) !== 0) return null;
  const sum = new LogSum(kind === 0x377f0683);
  sum.add(log.subarray(0, 24));
  if (!sum.standsIn(log, 24)) return null;

  const salts = log.subarray(16, 24);
  const frames: Frame[] = [];
  let committed: { frames: number; bytes: number } | null = null;
  const step = frameHeaderBytes + pageSize;
  for (let at = logHeaderBytes; at + step <= log.length; at += step) {
    const page = log.subarray(at + frameHeaderBytes, at + step);
    sum.add(log.subarray(at, at + 8));
    sum.add(page);
    // What follows is of an earlier round of the log, or was never finished.
    if (!log.subarray(at + 8, at + 16).equals(salts) || !sum.standsIn(log, at + 16)) break;
    const pageNumber = log.readUInt32BE(at);
    if (pageNumber === 0) break;
    frames.push({ at: (pageNumber - 1) * pageSize, page });
    const pagesAfterCommit = log.readUInt32BE(at + 4);
    if (pagesAfterCommit > 0) committed = { frames: frames.length, bytes: pagesAfterCommit * pageSize };
  }
  return committed && { frames: frames.slice(0, committed.frames), bytes: committed.bytes };
}

/** The running checksum of a log (SQLite file format §4.2). */
class LogSum {
  readonly #isBigEndian: boolean;
  #first = 0;
  #second = 0;

  constructor(isBigEndian: boolean) {
    this.#isBigEndian = isBigEndian;
  }

  add(bytes: Buffer): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at < bytes.length; at += 8) {
      this.#first = (this.#first + view.getUint32(at, !this.#isBigEndian) + this.#second) >>> 0;
      this.#second = (this.#second + view.getUint32(at + 4, !this.#isBigEndian) + this.#first) >>> 0;
    }
  }

  standsIn(log: Buffer, at: number): boolean {
    return log.readUInt32BE(at) === this.#first && log.readUInt32BE(at + 4) === this.#second;
  }
}

/**
 * What stays the same as long as file and log, read one after the other, are of one piece; null when there is no file. Pages
 * that a checkpoint moves into the file meanwhile stand in the log too, until the log begins anew: then its header is
 * another one (salt-1 grows). Without a log only the file's own times can tell.
 */
async function markOf(path: string): Promise<{ mark: string; bytes: number } | null> {
  try {
    const found = await stat(path, { bigint: true });
    if (!found.isFile())
      throw new KeyctlError("unavailable", `${path} is not a file`, {
        hint: "name a file",
        retryable: false,
      });
    const header = await headerOf(`${path}-wal`);
    const mark =
      header.length === logHeaderBytes
        ? header.toString("hex")
        : `${found.ino} ${found.size} ${found.mtimeNs}`;
    return { mark, bytes: Number(found.size) };
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw unreadable(error, path);
  }
}

/** Of a log; shorter where it has none, or where there is no log. */
async function headerOf(path: string): Promise<Buffer> {
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return noLog;
    throw unreadable(error, path);
  }
  try {
    const header = Buffer.alloc(logHeaderBytes);
    const { bytesRead } = await file.read(header, 0, logHeaderBytes, 0);
    return header.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function contentOf(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw unreadable(error, path);
  }
}

function tooLarge(path: string, bytesMax: number): KeyctlError {
  const mebibytes = Math.floor(bytesMax / (1024 * 1024));
  return new KeyctlError("incomplete", `${path} is larger than ${mebibytes} MiB: it was not looked into`, {
    hint: "keyctl audit-verify reads it without this limit",
  });
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

function unreadable(error: unknown, path: string): unknown {
  if (error instanceof KeyctlError || codeOf(error) === "") return error;
  const isDenied = codeOf(error) === "EACCES" || codeOf(error) === "EPERM";
  return new KeyctlError(
    "unavailable",
    isDenied ? `${path} may not be read by this user` : `${path} cannot be read`,
    {
      hint: isDenied
        ? "check the owner and permissions of the file and its folders"
        : "check that the path leads to a file, and the disk",
      cause: error,
    },
  );
}
