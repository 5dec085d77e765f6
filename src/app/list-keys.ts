import { assertMay, ownNames, reachOf } from "../core/access.ts";
import { KeyctlError } from "../core/errors.ts";
import type { KeyRecord } from "../core/model.ts";
import { isUuid } from "../core/uuid.ts";
import { attempted } from "./attempt.ts";
import type { AttemptDeps } from "./attempt.ts";
import type { Caller } from "./deps.ts";
import { standing } from "./find-key.ts";
import type { KeyFilter } from "./ports.ts";

const pageSize = 500;

/** Keys of the context's tenant and environment that the caller may see, by name; streamed page by page, `limit` at most. Makes no vault call. */
export async function* listKeys(
  deps: AttemptDeps,
  input: { filter: KeyFilter; limit: number | null; after: string | null },
): AsyncGenerator<KeyRecord> {
  const { caller } = deps;
  const filter = await attempted(deps, { operation: "key.list" }, () => withinReach(caller, input.filter));
  let left = input.limit ?? Number.POSITIVE_INFINITY;
  let after = input.after === null ? null : parseCursor(input.after);
  while (left > 0) {
    const limit = Math.min(pageSize, left);
    const page = {
      tenantId: caller.tenant.id,
      env: caller.env,
      filter,
      now: deps.clock.now(),
      limit,
      after,
    };
    const keys = await deps.store.listKeys(page);
    yield* keys;
    const last = keys.at(-1);
    if (last === undefined || keys.length < limit) return;
    left -= keys.length;
    after = { name: last.name, id: last.id };
  }
}

/** Who reaches only its own keys is shown only these. */
function withinReach(caller: Caller, filter: KeyFilter): KeyFilter {
  if (reachOf(caller.role, "read") === "own") return { ...filter, ownedBy: ownNames(caller.actor) };
  assertMay(standing(caller), "read");
  return filter;
}

/** Where the next page begins, for `--after`. */
export function formatCursor(key: Pick<KeyRecord, "name" | "id">): string {
  return `${key.name}:${key.id}`;
}

function parseCursor(text: string): { name: string; id: string } {
  const at = text.lastIndexOf(":");
  const [name, id] = [text.slice(0, at), text.slice(at + 1)];
  if (at > 0 && isUuid(id)) return { name, id };
  throw new KeyctlError("usage", "--after takes the cursor that the page before printed");
}
