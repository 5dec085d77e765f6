import { dirname, join } from "node:path";
import { checked, doubtful, failed, passed } from "./check.ts";
import type { Check, Line } from "./check.ts";
import type { FileFacts, FileInspector } from "./ports.ts";

/** What may be done with a path by others than its owner. */
type Rule = "secret" | "private" | "config" | "folder";

export interface WatchedPath extends Line {
  path: string;
  rule: Rule;
}

export interface FileDeps {
  files: FileInspector;
  /** The running user's id; null where the system has none: then only what a path is, is looked at. */
  uid: number | null;
}

/** What the owner must be allowed, and the `chmod` that mends a path. */
const modes: Readonly<Record<Rule, { owner: number; cure: string }>> = {
  secret: { owner: 0o400, cure: "600" },
  private: { owner: 0o600, cure: "600" },
  config: { owner: 0o400, cure: "u+r,go-w" },
  folder: { owner: 0o700, cure: "700" },
};

interface Trouble {
  isFatal: boolean;
  message: string;
  cure: string;
}

const groupWrites = 0o020;
const othersWrite = 0o002;
const anyoneElse = 0o077;
const sticky = 0o1000;

/** Owner and permissions of what is there; a path where nothing is has no line. */
export async function checkFiles(deps: FileDeps, watched: readonly WatchedPath[]): Promise<Check[]> {
  const lines: Check[] = [];
  for (const each of distinct(watched)) {
    const found = await checked(each, async () => {
      const facts = await deps.files.facts(each.path);
      return facts === null ? [] : judge(each, facts, deps.uid);
    });
    lines.push(...found);
  }
  return lines;
}

/**
 * One line for each other user to whom some of these belong. Making them one's own would lock that user out: nothing here
 * says how.
 */
export async function checkOwner(deps: FileDeps, watched: readonly WatchedPath[]): Promise<Check[]> {
  const line = { id: "files.owner", subject: "owner of the files" };
  const foreign: { path: string; owner: number }[] = [];
  for (const each of distinct(watched)) {
    // What the system does not let us look at is told where it is looked at for itself.
    const facts = await deps.files.facts(each.path).catch(() => null);
    if (facts !== null && isForeign(each, facts, deps.uid)) {
      foreign.push({ path: each.path, owner: facts.uid });
    }
  }
  return [...Map.groupBy(foreign, ({ owner }) => owner)].map(([owner, paths]) => {
    const what = `${paths[0]?.path}${paths.length === 1 ? " belongs" : ` and ${paths.length - 1} more belong`}`;
    return failed(
      line,
      `${what} to user ${owner}, and this is user ${deps.uid}; embedded files are for one account of the system`,
      `run keyctl as user ${owner}, or with files of your own: KEYCTL_HOME=FOLDER keyctl init`,
    );
  });
}

/** A file that root put there for everybody is as good as one's own, as long as it is only read. */
function isForeign({ rule }: WatchedPath, facts: FileFacts, uid: number | null): boolean {
  return uid !== null && facts.uid !== uid && !(rule === "config" && facts.uid === 0);
}

/** One folder may have several parts to play: the first is told. */
function distinct(watched: readonly WatchedPath[]): WatchedPath[] {
  return [...new Map(watched.toReversed().map((each) => [each.path, each])).values()].toReversed();
}

function judge(watched: WatchedPath, facts: FileFacts, uid: number | null): Check[] {
  const { id, subject, path } = watched;
  const line = { id, subject };
  const troubles = [...troublesOfKind(watched, facts), ...(uid === null ? [] : troublesOf(watched, facts))];
  if (troubles.length === 0) {
    // Whose it is has a line of its own, once for all of them.
    if (isForeign(watched, facts, uid)) return [];
    return [passed(line, uid === null ? path : `${path}, ${octal(facts.mode)}, yours`)];
  }
  return troubles.map(({ isFatal, message, cure }) =>
    (isFatal ? failed : doubtful)(line, `${path} ${message}`, cure),
  );
}

function troublesOfKind({ rule, path }: WatchedPath, facts: FileFacts): Trouble[] {
  const wanted = rule === "folder" ? "folder" : "file";
  const troubles: Trouble[] = [];
  if (facts.kind !== wanted) {
    const cure = `move it away: mv ${quoted(path)} ${quoted(`${path}.old`)}`;
    troubles.push({ isFatal: true, message: `is not a ${wanted}`, cure });
  }
  if (facts.isLink) {
    const cure = `keep the ${wanted} itself there, or name the place where it really is`;
    troubles.push({ isFatal: false, message: "is a link", cure });
  }
  return troubles;
}

function troublesOf({ rule, path }: WatchedPath, { mode }: FileFacts): Trouble[] {
  const troubles: Trouble[] = [];
  const { owner, cure: chmod } = modes[rule];
  const cure = `chmod ${chmod} ${quoted(path)}`;
  if ((mode & owner) !== owner) {
    const message = `(${octal(mode)}) does not allow its owner what keyctl does with it`;
    troubles.push({ isFatal: true, message, cure });
  }
  const who = (bits: number): string => ((mode & bits & 0o007) === 0 ? "its group" : "everybody");
  if ((mode & (groupWrites | othersWrite)) !== 0) {
    const isFatal = rule !== "config" || (mode & othersWrite) !== 0;
    const message = `(${octal(mode)}) can be changed by ${who(groupWrites | othersWrite)}`;
    troubles.push({ isFatal, message, cure });
  } else if (rule !== "config" && (mode & anyoneElse) !== 0) {
    const message = `(${octal(mode)}) can be read by ${who(anyoneElse)}`;
    troubles.push({ isFatal: rule === "secret", message, cure });
  }
  return troubles;
}

/** Folders above these: whoever may write to one can put something else in the place of what is below. */
export async function checkFoldersAbove(deps: FileDeps, folders: readonly string[]): Promise<Check[]> {
  const line = { id: "folders-above", subject: "folders above" };
  const { uid } = deps;
  if (uid === null) return [];
  return await checked(line, async () => {
    const troubles: Check[] = [];
    const above = await allAbove(deps.files, folders);
    if (above.length === 0) return [];
    for (const path of above) {
      const facts = await deps.files.facts(path);
      if (facts !== null) troubles.push(...judgeAbove(line, path, { facts, uid }));
    }
    if (troubles.length > 0) return troubles;
    return [passed(line, `nobody else can write to the ${above.length} folders above`)];
  });
}

function judgeAbove(line: Line, path: string, of: { facts: FileFacts; uid: number }): Check[] {
  const { mode, uid: owner } = of.facts;
  const cure = `chmod go-w ${quoted(path)}`;
  if (owner !== of.uid && owner !== 0) {
    return [
      failed(
        line,
        `${path} belongs to user ${owner}, who can replace what is below it`,
        "keep keyctl's files in a folder of your own",
      ),
    ];
  }
  // In a sticky folder, as /tmp is, only owners rename and remove.
  if ((mode & sticky) !== 0 || (mode & (groupWrites | othersWrite)) === 0) return [];
  const what = `${path} (${octal(mode)}) can be written by`;
  if ((mode & othersWrite) !== 0)
    return [failed(line, `${what} everybody, who can replace what is below it`, cure)];
  return [doubtful(line, `${what} its group, which can replace what is below it`, cure)];
}

/** Every folder above, as it is named and as it really is. */
async function allAbove(files: FileInspector, folders: readonly string[]): Promise<string[]> {
  const above = new Set<string>();
  for (const folder of folders) {
    if ((await files.facts(folder)) === null) continue;
    for (const start of [folder, await files.realPath(folder)]) {
      for (let path = dirname(start); !above.has(path); path = dirname(path)) above.add(path);
    }
  }
  // What is looked at by itself is not told twice.
  return [...above].filter((path) => !folders.includes(path)).toSorted();
}

/** Files that SQLite keeps beside a database. */
export function besideDatabase(path: string): string[] {
  return [`${path}-wal`, `${path}-shm`];
}

/** Remembered checkpoints, each a file of its own. */
export async function checkpointFiles(files: FileInspector, folder: string): Promise<WatchedPath[]> {
  const names = await files.names(folder).catch(() => []);
  return names.map((name) => ({
    id: "file.checkpoint",
    subject: "remembered checkpoints",
    path: join(folder, name),
    rule: "private",
  }));
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

function quoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
