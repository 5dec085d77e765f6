import { KeyctlError } from "../core/errors.ts";
import type { KeyRecord } from "../core/model.ts";
import { openValue } from "./open-value.ts";
import type { OpenDeps, OpenedValue } from "./open-value.ts";

/**
 * The active key for a provider: the user's own, else the company's, else the app's, in the caller's tenant and environment.
 * Of several the oldest, so that adding one changes nothing. `not-found` when there is none; else as `openValue`.
 */
export async function openProviderKey(
  deps: OpenDeps,
  input: { provider: string; user: string | null },
): Promise<OpenedValue> {
  const owners = [...(input.user === null ? [] : [`user:${input.user}`]), "company", "app"];
  for (const owner of owners) {
    const key = await activeKey(deps, input.provider, owner);
    if (key === null) continue;
    return await openValue(deps, { target: { id: key.id }, version: null, operation: "key.open" });
  }
  const { tenant, env } = deps.caller;
  throw new KeyctlError(
    "not-found",
    `no active key for ${input.provider} in environment ${env} of tenant ${tenant.name}`,
    { hint: `keyctl create NAME --kind provider --provider ${input.provider}` },
  );
}

/** Far more than anybody has; more would only be looked at for which is the oldest. */
const keysMax = 100;

async function activeKey(deps: OpenDeps, provider: string, owner: string): Promise<KeyRecord | null> {
  const { tenant, env } = deps.caller;
  const keys = await deps.store.listKeys({
    tenantId: tenant.id,
    env,
    filter: { kind: "provider", state: "active", provider, owner },
    now: deps.clock.now(),
    limit: keysMax,
    after: null,
  });
  const [oldest] = keys.toSorted((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
  return oldest ?? null;
}
