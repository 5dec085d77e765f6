import fc from "fast-check";
import { expect } from "vitest";
import type { KeyFilter, Store } from "../../src/app/ports.ts";
import { stateAt } from "../../src/core/transition.ts";
import { keyStates } from "../../src/core/model.ts";
import type { KeyRecord } from "../../src/core/model.ts";
import { addKey, storeTests } from "./place.ts";
import type { NewPlace } from "./place.ts";
import { keyRecord, otherTenant, tenant } from "./records.ts";

const now = 1_000;
const moment = fc.integer({ min: 900, max: 1_100 });
const word = fc.constantFrom("a", "b", "A.b", '"q"', "\\", "$", "1");
const tags = fc.dictionary(word, word, { maxKeys: 3 });

const anyKey = fc.record({
  tenantId: fc.constantFrom(tenant.id, tenant.id, otherTenant.id),
  env: fc.constantFrom("prod", "dev"),
  kind: fc.constantFrom("issued", "provider", "secret", "encryption"),
  type: fc.constantFrom(null, "PHI_DATA", "db-credential"),
  owner: fc.constantFrom("app", "company", "user:1"),
  provider: fc.constantFrom(null, "openai", "anthropic"),
  state: fc.constantFrom(...keyStates),
  expiresAt: fc.option(moment, { nil: null }),
  lastUsedAt: fc.option(moment, { nil: null }),
  createdAt: moment,
  tags,
});

const anyCondition: fc.Arbitrary<KeyFilter> = fc.oneof(
  fc.record({ kind: fc.constantFrom("issued", "provider", "secret") }),
  fc.record({ type: fc.constantFrom("PHI_DATA", "db-credential", "none") }),
  fc.record({ state: fc.constantFrom(...keyStates) }),
  fc.record({ state: fc.constantFrom("expired", "active") }),
  fc.record({ owner: fc.constantFrom("app", "user:1") }),
  fc.record({ tags }),
  fc.record({ provider: fc.constantFrom("openai", "anthropic") }),
  fc.record({ expiringBefore: moment }),
  fc.record({ unusedSince: moment }),
);

// Few conditions at once: many together match nothing, and nothing is easy to get right.
const anyFilter = fc
  .array(anyCondition, { maxLength: 3 })
  .map((conditions): KeyFilter => Object.assign({}, ...conditions));

/** What the filter means, said plainly. */
function matches(key: KeyRecord, filter: KeyFilter): boolean {
  const state = stateAt(key.state, key.expiresAt, now);
  const canExpire = key.state === "active" || key.state === "rotated" || key.state === "inactive";
  const { expiringBefore, unusedSince } = filter;
  return (
    (filter.state === undefined ? state !== "deleted" : state === filter.state) &&
    (filter.kind === undefined || key.kind === filter.kind) &&
    (filter.type === undefined || key.type === filter.type) &&
    (filter.owner === undefined || key.owner === filter.owner) &&
    (filter.provider === undefined || key.provider === filter.provider) &&
    Object.entries(filter.tags ?? {}).every(
      ([name, value]) => Object.hasOwn(key.tags, name) && key.tags[name] === value,
    ) &&
    (expiringBefore === undefined ||
      (canExpire && key.expiresAt !== null && key.expiresAt > now && key.expiresAt <= expiringBefore)) &&
    (unusedSince === undefined || (key.lastUsedAt ?? key.createdAt) < unusedSince)
  );
}

function bySortPosition(a: KeyRecord, b: KeyRecord): number {
  const [first, second] = [`${a.name.toLowerCase()} ${a.id}`, `${b.name.toLowerCase()} ${b.id}`];
  return first < second ? -1 : 1;
}

async function listAll(
  store: Store,
  page: { env: string | null; filter: KeyFilter; limit: number },
): Promise<KeyRecord[]> {
  const all: KeyRecord[] = [];
  let after: { name: string; id: string } | null = null;
  for (;;) {
    const keys: KeyRecord[] = await store.listKeys({ tenantId: tenant.id, now, after, ...page });
    expect(keys.length).toBeLessThanOrEqual(page.limit);
    all.push(...keys);
    // A page that does not go on would make this loop for ever.
    expect(all.length).toBeLessThan(1_000);
    const last = keys.at(-1);
    if (last === undefined || keys.length < page.limit) return all;
    after = { name: last.name, id: last.id };
  }
}

/** Lists: filters, order, pages. */
export function listContract(newPlace: NewPlace): void {
  const test = storeTests(newPlace);

  test("every filter and page size gives the keys that a plain reading of it gives, in order", async (store) => {
    const drawn = fc.sample(anyKey, { numRuns: 150, seed: 7 });
    // Few different first letters in both cases, so that order without case is told from order with it.
    const letter = (number: number) => "aBcD".charAt(number % 4);
    const keys = drawn.map((set, number) =>
      keyRecord(number, { ...set, name: `${letter(number)}-${number % 60}-${number}` }),
    );
    await store.transaction(async (tx) => {
      for (const key of keys) await tx.insertKey(key);
    });
    const question = fc.record({
      env: fc.constantFrom("prod", "dev", null),
      filter: anyFilter,
      limit: fc.constantFrom(1, 3, 1_000),
    });
    await fc.assert(
      fc.asyncProperty(question, async ({ env, filter, limit }) => {
        const expected = keys
          .filter((key) => key.tenantId === tenant.id && (env === null || key.env === env))
          .filter((key) => matches(key, filter))
          .toSorted(bySortPosition);
        const listed = await listAll(store, { env, filter, limit });
        expect(listed).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  test("the same name in two environments keeps its place by id when all environments are listed", async (store) => {
    await addKey(store, keyRecord(2, { name: "same", env: "dev" }));
    await addKey(store, keyRecord(1, { name: "SAME", env: "prod" }));
    await addKey(store, keyRecord(3, { name: "Same", env: "test", state: "expired", expiresAt: 5 }));
    await addKey(store, keyRecord(4, { name: "samE", env: "stage", expiresAt: 5 }));
    const names = async (filter: KeyFilter) =>
      (await listAll(store, { env: null, filter, limit: 1 })).map((key) => key.name);
    expect(await names({})).toEqual(["SAME", "same", "Same", "samE"]);
    expect(await names({ state: "expired" })).toEqual(["Same", "samE"]);
  });

  test("a page that begins after a name in another case begins in the same place", async (store) => {
    for (const number of [1, 2]) await addKey(store, keyRecord(number, { name: `key-${number}` }));
    const page = { tenantId: tenant.id, env: "prod", filter: {}, now, limit: 10 };
    const after = { name: "KEY-1", id: keyRecord(1).id };
    expect((await store.listKeys({ ...page, after })).map((key) => key.name)).toEqual(["key-2"]);
  });

  test("without a state deleted keys are hidden, with it only they are shown", async (store) => {
    await addKey(store, keyRecord(1));
    await addKey(store, keyRecord(2, { state: "deleted" }));
    const names = async (filter: KeyFilter) =>
      (await listAll(store, { env: "prod", filter, limit: 10 })).map((key) => key.name);
    expect(await names({})).toEqual(["Key-1"]);
    expect(await names({ state: "deleted" })).toEqual(["Key-2"]);
  });
}
