import type { KeyFilter } from "../../app/ports.ts";
import { assertOwner } from "../../core/key-spec.ts";
import { encryptionTypes, keyKinds, keyStates, secretTypes } from "../../core/model.ts";
import type { KeyRecord } from "../../core/model.ts";
import type { CommandDefinition, CommandInput } from "../command.ts";

const tablePage = 50;

export const listCommand: CommandDefinition = {
  name: "list",
  section: "Keys",
  summary: "list keys, metadata only",
  description:
    "Lists the context's tenant and environment by name. A table shows the first 50 and names the cursor of the next page; json, jsonl, csv and name stream everything. Deleted keys are shown only with --state deleted.",
  arguments: [],
  options: [
    { name: "kind", value: "KIND", choices: keyKinds, summary: "only this kind" },
    { name: "type", value: "TYPE", summary: "only this type of secret or encryption key" },
    { name: "state", value: "STATE", choices: keyStates, summary: "only keys in this state" },
    { name: "owner", value: "WHO", summary: "only of this owner: app, company or user:ID" },
    { name: "tag", value: "K=V", repeatable: true, summary: "only with this tag" },
    { name: "provider", value: "NAME", summary: "only of this provider" },
    { name: "expiring", value: "FOR", summary: "only what expires within this time (30d)" },
    { name: "unused", value: "FOR", summary: "only what was not used for this long (60d)" },
    { name: "limit", value: "N", summary: "at most so many" },
    { name: "after", value: "CURSOR", summary: "the page after this cursor" },
  ],
  examples: [
    { command: "keyctl list --kind issued --expiring 30d", does: "issued keys that expire within a month" },
    {
      command: "keyctl list --type PHI_DATA --state active -o name",
      does: "the active key of a type, for a script",
    },
  ],
  danger: "none",
  mutation: "no",
  run: async (context, input) => {
    const { formatCursor, listKeys } = await import("../../app/list-keys.ts");
    const { keyView } = await import("../render/key-view.ts");
    const session = await context.session();
    const { answer, io, talk } = context;
    const isTable = answer.format === "table" || answer.format === "wide";
    const limit = input.flags.integer("limit") ?? (isTable ? tablePage : null);
    const keys = listKeys(session, {
      filter: readFilter(input, io.now()),
      // One more than is shown tells whether there is a next page.
      limit: limit === null ? null : limit + 1,
      after: input.flags.text("after"),
    });
    const seen: { last: KeyRecord | null; more: boolean } = { last: null, more: false };
    const { tenant, env } = session.caller;
    const empty = `no keys in tenant ${tenant.name}, environment ${env}`;
    await answer.list(
      keyView(() => tenant.name, io.now()),
      firstOf(keys, limit, seen),
      { empty },
    );
    if (seen.more && seen.last !== null) talk.note(`more: --after ${formatCursor(seen.last)}`);
    return "ok";
  },
};

async function* firstOf(
  keys: AsyncIterable<KeyRecord>,
  limit: number | null,
  seen: { last: KeyRecord | null; more: boolean },
): AsyncGenerator<KeyRecord> {
  let count = 0;
  for await (const key of keys) {
    if (count === limit) {
      seen.more = true;
      return;
    }
    seen.last = key;
    count += 1;
    yield key;
  }
}

function readFilter({ flags }: CommandInput, now: number): KeyFilter {
  const kind = flags.choice("kind", keyKinds);
  const state = flags.choice("state", keyStates);
  const type = flags.choice("type", [...encryptionTypes, ...secretTypes]);
  const owner = flags.text("owner");
  if (owner !== null) assertOwner(owner);
  const provider = flags.text("provider");
  const tags = flags.pairs("tag");
  const expiring = flags.duration("expiring");
  const unused = flags.duration("unused");
  return {
    ...(kind === null ? {} : { kind }),
    ...(state === null ? {} : { state }),
    ...(type === null ? {} : { type }),
    ...(owner === null ? {} : { owner }),
    ...(provider === null ? {} : { provider }),
    ...(Object.keys(tags).length === 0 ? {} : { tags }),
    ...(expiring === null ? {} : { expiringBefore: now + expiring }),
    ...(unused === null ? {} : { unusedSince: now - unused }),
  };
}
