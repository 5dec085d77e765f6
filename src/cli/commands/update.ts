import type { KeyUpdate } from "../../core/key-update.ts";
import { KeyctlError } from "../../core/errors.ts";
import type { CommandDefinition, CommandInput, OptionDefinition } from "../command.ts";
import type { Flags } from "../flags.ts";
import { idOption, nameArgument, readTarget } from "./target.ts";

/** What `--clear` empties or gives back to its default; each but `tags` is the name of the flag that sets it. */
const clearable = [
  "scopes",
  "preferred-model",
  "purpose",
  "authorized-service",
  "access-policy",
  "tags",
  "compliance-tag",
  "description",
  "grace",
  "rollback-window",
  "rotate-every",
] as const;
type Clearable = (typeof clearable)[number];

const options: readonly OptionDefinition[] = [
  idOption,
  { name: "tag", value: "K=V", repeatable: true, summary: "set this tag, and leave the others" },
  { name: "remove-tag", value: "K", repeatable: true, summary: "take this tag away" },
  { name: "owner", value: "WHO", summary: "app, company or user:ID" },
  { name: "description", value: "TEXT", summary: "what it is for" },
  {
    name: "expires",
    value: "WHEN",
    summary:
      "from now (90d), also the lifetime of each successor; a date, for the active version only; never",
  },
  { name: "grace", value: "FOR", summary: "how long a replaced version stays accepted" },
  { name: "rollback-window", value: "FOR", summary: "how long a replaced version can come back" },
  { name: "rotate-every", value: "FOR", summary: "when a rotation is due" },
  {
    name: "tier",
    value: "TIER",
    choices: ["basic", "premium", "enterprise"],
    summary: "issued: its rate tier",
  },
  { name: "scopes", value: "A,B", summary: "issued: all that it allows, separated by commas" },
  { name: "preferred-model", value: "MODEL", summary: "provider: the model it is meant for" },
  { name: "purpose", value: "TEXT", summary: "encryption: what it protects" },
  {
    name: "authorized-service",
    value: "NAME",
    repeatable: true,
    summary: "the services that may use it, all of them",
  },
  { name: "access-policy", value: "NAME", summary: "the access policy it falls under" },
  {
    name: "compliance-tag",
    value: "NAME",
    repeatable: true,
    summary: "the regimes it falls under, all of them",
  },
  {
    name: "clear",
    value: "FIELD",
    choices: clearable,
    repeatable: true,
    summary: "empty this field, or give it its default",
  },
];

export const updateCommand: CommandDefinition = {
  name: "update",
  section: "Keys",
  summary: "change what is known of a key, and what it may do; its value stays",
  description:
    "Lists are replaced as a whole; tags are set and removed one by one. Each change is one entry of the log, with the former and the new values. Where nothing differs, nothing is written.",
  arguments: [nameArgument],
  options,
  examples: [
    { command: "keyctl update payments --scopes read --tag team=billing", does: "less to do, and a tag" },
    { command: "keyctl update orders-db --rotate-every 60d --clear tags", does: "a date for its rotation" },
    { command: "keyctl update payments --expires never", does: "no expiry, for its successors too" },
  ],
  danger: "mild",
  mutation: "yes",
  run: async (context, input) => {
    const { planUpdateKey, updateKey } = await import("../../app/update-key.ts");
    const { agreeToChange, showChanged, showWouldChange } = await import("./changed-key.ts");
    const request = {
      target: readTarget(input),
      update: readUpdate(input),
      options: context.mutationOptions(),
    };
    const session = await context.session();
    const planned = await planUpdateKey(session, request);
    if (context.globals.dryRun)
      return await showWouldChange(context, planned, `change ${inWords(planned.fields)} of`);
    const options = await agreeToChange(context, planned, { class: "mild", verb: "update" });
    const made = await updateKey(session, { ...request, options });
    return await showChanged(context, made, `is updated: ${inWords(made.fields)}`);
  },
};

/** Names of fields as `show` has them: `graceMs` is grace. */
function inWords(fields: readonly string[]): string {
  return fields
    .map((field) => field.replace(/(Ms|At)$/, "").replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`))
    .join(", ");
}

function readUpdate({ flags }: CommandInput): KeyUpdate {
  if (options.every(({ name }) => name === "id" || !flags.has(name)))
    throw new KeyctlError("usage", "nothing to change was named", { hint: "keyctl update --help" });
  const cleared = readCleared(flags);
  const given = <T>(flag: Clearable, empty: T, read: () => T): T | undefined => {
    if (cleared.has(flag)) return empty;
    return flags.has(flag) ? read() : undefined;
  };
  const text = (flag: Clearable) => given<string | null>(flag, null, () => flags.text(flag));
  const duration = (flag: Clearable) => given<number | null>(flag, null, () => flags.duration(flag));
  const list = (flag: Clearable) => given<string[]>(flag, [], () => flags.list(flag));
  return {
    fields: {
      ...(flags.has("tier") ? { tier: flags.text("tier") } : {}),
      scopes: given<string[]>("scopes", [], () => flags.parts("scopes")),
      preferredModel: text("preferred-model"),
      purpose: text("purpose"),
      authorizedServices: list("authorized-service"),
      accessPolicy: text("access-policy"),
    },
    graceMs: duration("grace"),
    rollbackWindowMs: duration("rollback-window"),
    rotateEveryMs: duration("rotate-every"),
    expiry: flags.text("expires") === "never" ? "never" : (flags.expiry("expires") ?? undefined),
    owner: flags.text("owner") ?? undefined,
    description: text("description"),
    complianceTags: list("compliance-tag"),
    tags: { clear: cleared.has("tags"), remove: flags.list("remove-tag"), set: flags.pairs("tag") },
  };
}

function readCleared(flags: Flags): ReadonlySet<Clearable> {
  const named = flags.choiceList("clear", clearable);
  for (const flag of named) {
    const also = flag === "tags" ? "remove-tag" : flag;
    if (flags.has(also))
      throw new KeyctlError("usage", `--clear ${flag} and --${also} exclude each other`, {
        hint: "keyctl update --help",
      });
  }
  return new Set(named);
}
