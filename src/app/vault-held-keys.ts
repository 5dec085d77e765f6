import type { KeyRecord } from "../core/model.ts";
import type { Deps } from "./deps.ts";

const pageSize = 500;

/** A tenant's keys whose value only the vault has, deleted ones too, in every environment, page by page. */
export async function* vaultHeldKeys(
  deps: Pick<Deps, "store" | "clock">,
  tenantId: string,
): AsyncGenerator<KeyRecord> {
  const filters = (["secret", "encryption"] as const).flatMap((kind) => [
    { kind },
    { kind, state: "deleted" as const },
  ]);
  for (const filter of filters) {
    let after: { name: string; id: string } | null = null;
    for (;;) {
      const page = { tenantId, env: null, filter, now: deps.clock.now(), limit: pageSize, after };
      const keys: KeyRecord[] = await deps.store.listKeys(page);
      yield* keys;
      const last = keys.at(-1);
      if (last === undefined || keys.length < pageSize) break;
      after = { name: last.name, id: last.id };
    }
  }
}
