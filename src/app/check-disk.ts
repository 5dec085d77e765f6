import { dirname } from "node:path";
import { checked, doubtful, passed } from "./check.ts";
import type { Check } from "./check.ts";
import type { FileInspector } from "./ports.ts";

const mebibyte = 1024 * 1024;
/** An audit log in use grows by some MiB in a month; SQLite's own files need room beside the database. */
const freeBytesMin = 100 * mebibyte;

/** Whether the file system under a database is one that SQLite can trust, and has room. Nothing where no folder is yet. */
export async function checkDisk(
  files: FileInspector,
  database: { what: "store" | "vault"; path: string },
): Promise<Check[]> {
  const line = { id: `disk.${database.what}`, subject: `disk of the ${database.what}` };
  const folder = dirname(database.path);
  return await checked(line, async () => {
    if ((await files.facts(folder)) === null) return [];
    const { remote, freeBytes } = await files.volume(folder);
    const free = `${Math.floor(freeBytes / mebibyte)} MiB free`;
    const troubles: Check[] = [];
    if (remote !== null) {
      const message = `${folder} is on ${remote}: SQLite's locks do not work on most such file systems`;
      troubles.push(doubtful(line, message, `keep the ${database.what} on a local disk`));
    }
    if (freeBytes < freeBytesMin)
      troubles.push(doubtful(line, `only ${free} for ${folder}`, "free some disk space"));
    return troubles.length > 0 ? troubles : [passed(line, `local, ${free}`)];
  });
}
