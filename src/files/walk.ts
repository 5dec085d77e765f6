import { type Dirent, readdirSync, type Stats, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { IgnoreRules } from "./ignore-rules.ts";
import { readChunks, readFailure } from "./read-chunks.ts";

/** A file to read, or a place that could not be looked into. */
export type WalkedItem =
  | { kind: "file"; path: string; chunks: () => AsyncIterable<Uint8Array> }
  | { kind: "skipped"; path: string; reason: string };

/**
 * The files that paths name, and those below directories, sorted by path within each given path. Each file comes once.
 *
 * A path that is given is always taken: also one that git ignores, or a symbolic link. Below directories: what git ignores
 * and `.git` are left out, symbolic links are not followed, sockets and devices hold nothing to read. Binary files are files as well.
 * What cannot be looked into comes as `skipped` with its reason; whether a file can be read shows when its chunks are asked for.
 */
export function* walkFiles(paths: readonly string[]): Generator<WalkedItem> {
  const seen = new Set<string>();
  for (const path of paths) {
    let stats: Stats;
    try {
      stats = statSync(path);
    } catch (error) {
      yield { kind: "skipped", path, reason: readFailure(error) };
      continue;
    }
    const items = stats.isDirectory() ? walkDirectory(path, IgnoreRules.at(path)) : [fileItem(path, true)];
    for (const item of items) {
      const place = resolve(item.path);
      if (seen.has(place)) continue;
      seen.add(place);
      yield item;
    }
  }
}

function fileItem(path: string, followLink: boolean): WalkedItem {
  return { kind: "file", path, chunks: () => readChunks(path, { followLink }) };
}

function* walkDirectory(directory: string, rules: IgnoreRules): Generator<WalkedItem> {
  let entries: Dirent[];
  try {
    entries = readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    yield { kind: "skipped", path: directory, reason: readFailure(error) };
    return;
  }
  entries.sort(byPath);
  for (const entry of entries) {
    const path = join(directory, entry.name);
    if (entry.name === ".git" || !(entry.isFile() || entry.isDirectory())) continue;
    if (rules.ignores(path, entry.isDirectory())) continue;
    if (entry.isDirectory()) yield* walkDirectory(path, rules.inside(path));
    else yield fileItem(path, false);
  }
}

/** As the paths below would sort: a directory counts with its slash. */
function byPath(left: Dirent, right: Dirent): number {
  const a = sortName(left);
  const b = sortName(right);
  return a < b ? -1 : Number(a > b);
}

function sortName(entry: Dirent): string {
  return entry.isDirectory() ? `${entry.name}/` : entry.name;
}
