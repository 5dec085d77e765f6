import { parseKeyPath } from "../../core/key-name.ts";
import type { Completed, CommandDefinition } from "../command.ts";
import type { Globals, Services, Session } from "../context.ts";
import { firstWords, groupOf, secondWords } from "../find-command.ts";
import { helpTopics } from "../help-topics.ts";
import type { Asked } from "./asked-for.ts";

/** A word that the shell may put at the cursor, and a few words about it. */
export interface Candidate {
  word: string;
  summary: string;
}

/** What a shell is told to do by itself: it knows its own files best. */
export type Answer = readonly Candidate[] | "files" | "folders";

/** Loaded only for names that stand in the store or the configuration. */
export type Load = () => Promise<Pick<Services, "resolve" | "profiles">>;

/** What can stand at the cursor. Rejects where store or settings cannot be read: the caller then says nothing. */
export async function candidatesFor(
  asked: Asked,
  commands: readonly CommandDefinition[],
  load: Load,
): Promise<Answer> {
  const { want, prefix } = asked;
  switch (want.kind) {
    case "nothing":
      return [];
    case "first-word":
      return matching(prefix, [...verbs(commands), { word: "help", summary: "about a command or a topic" }]);
    case "second-word":
      return matching(
        prefix,
        groupOf(want.group, commands).map(({ name, summary }) => ({
          word: name.split(" ")[1] ?? "",
          summary,
        })),
      );
    case "help-topic":
      return matching(prefix, [
        ...verbs(commands),
        ...helpTopics.map(({ name, summary }) => ({ word: name, summary })),
      ]);
    case "flag": {
      const shown = want.options.filter((option) => option.hidden !== true);
      const flags = shown.map(({ name, summary }) => ({ word: `--${name}`, summary }));
      const help = { word: "--help", summary: "show the command's help" };
      return [...flags, help].filter(({ word }) => word.startsWith(prefix));
    }
    case "value": {
      if (want.completes === "file") return "files";
      if (want.completes === "folder") return "folders";
      const words = [...want.choices, ...(await namesOf(want.completes, asked, load))];
      const found = matching(
        prefix,
        words.map((word) => ({ word, summary: "" })),
      );
      return found.map(({ word, summary }) => ({ word: want.before + word, summary }));
    }
  }
}

function verbs(commands: readonly CommandDefinition[]): Candidate[] {
  return firstWords(commands).map((word) => {
    const command = commands.find(({ name }) => name === word);
    return { word, summary: command?.summary ?? secondWords(word, commands).join(", ") };
  });
}

/**
 * What begins with the prefix and every shell takes as it is: whatever would have to be quoted (a name from an older or a
 * damaged store) is left out.
 */
function matching(prefix: string, candidates: readonly Candidate[]): Candidate[] {
  return candidates.filter(
    ({ word }) => word.startsWith(prefix) && /^[A-Za-z0-9][A-Za-z0-9._/:=@+-]*$/.test(word),
  );
}

async function namesOf(
  completes: Exclude<Completed, "file" | "folder"> | null,
  asked: Asked,
  load: Load,
): Promise<string[]> {
  if (completes === null) return [];
  if (completes === "operation") return [...(await import("../../audit/operations.ts")).operationFilters];
  if (completes === "profile") {
    const profiles = await (await load()).profiles(globalsOf(asked.values, { tenant: null, env: null }));
    return (await profiles.list()).map(({ name }) => name);
  }
  if (completes === "variable") return await variableNames(asked, load);
  const isKey = completes === "key" || completes === "deleted-key";
  const place = isKey ? pathOf(asked.prefix) : { lead: "", name: asked.prefix, tenant: null, env: null };
  if (place === null) return [];
  const services = await load();
  const found = await services.resolve(globalsOf(asked.values, place));
  const session = await found.openSession({ make: false, glance: true });
  try {
    const names = await read(completes, session, place.name);
    return names.map((name) => place.lead + name);
  } finally {
    await session.close();
  }
}

async function read(
  completes: Exclude<Completed, "file" | "folder" | "profile" | "variable" | "operation">,
  session: Session,
  prefix: string,
): Promise<string[]> {
  const app = await import("../../app/complete-names.ts");
  switch (completes) {
    case "key":
    case "deleted-key":
      return await app.completeKeys(session, { prefix, deleted: completes === "deleted-key" });
    case "env":
      return await app.completeEnvironments(session);
    case "tenant":
      return await app.completeTenants(session);
    case "actor":
      return await app.completeActors(session);
  }
}

/** `VAR=NAME`: nothing before the `=`, keys behind it. */
async function variableNames(asked: Asked, load: Load): Promise<string[]> {
  const cut = asked.prefix.indexOf("=") + 1;
  if (cut === 0) return [];
  const names = await namesOf("key", { ...asked, prefix: asked.prefix.slice(cut) }, load);
  return names.map((name) => asked.prefix.slice(0, cut) + name);
}

/** Where a key is looked for by what is typed of `[tenant/][env/]name`; null when no key's name can begin so. */
function pathOf(
  prefix: string,
): { lead: string; name: string; tenant: string | null; env: string | null } | null {
  const cut = prefix.lastIndexOf("/") + 1;
  const [lead, name] = [prefix.slice(0, cut), prefix.slice(cut)];
  try {
    const { tenant = null, env = null } = parseKeyPath(`${lead}${name === "" ? "x" : name}`);
    return { lead, name, tenant, env };
  } catch {
    return null;
  }
}

function globalsOf(
  values: ReadonlyMap<string, string>,
  place: { tenant: string | null; env: string | null },
): Globals {
  const text = (name: string): string | null => values.get(name) ?? null;
  return {
    profile: text("profile"),
    store: text("store"),
    vault: text("vault"),
    auth: text("auth"),
    tenant: place.tenant ?? text("tenant"),
    env: place.env ?? text("env"),
    yes: false,
    confirm: null,
    dryRun: false,
    output: null,
    outFile: null,
  };
}
