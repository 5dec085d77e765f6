import { it } from "vitest";
import { isKeyctlError } from "../../src/core/errors.ts";
import type { KeyctlError } from "../../src/core/errors.ts";
import type { Store, StoreTransaction } from "../../src/app/ports.ts";
import type { KeyRecord, VersionRecord } from "../../src/core/model.ts";
import { actor, keyRecord, otherTenant, tenant, versionRecord } from "./records.ts";

/** An empty database of its own for one test. */
export interface StorePlace {
  /** Each call is a connection of its own, as another process would have. */
  open(): Promise<Store>;
  /** Closes what was opened and removes the database. */
  remove(): Promise<void>;
}

export type NewPlace = () => Promise<StorePlace>;

/** Declares a test that gets a new store with two tenants and an actor in it. */
export function storeTests(newPlace: NewPlace) {
  return (title: string, body: (store: Store, place: StorePlace) => Promise<void>): void => {
    it(title, async () => {
      const place = await newPlace();
      try {
        const store = await place.open();
        await store.transaction(insertPeople);
        await body(store, place);
      } finally {
        await place.remove();
      }
    });
  };
}

/** Two tenants and an actor: what every other record refers to. */
export async function insertPeople(tx: StoreTransaction): Promise<void> {
  await tx.insertTenant(tenant);
  await tx.insertTenant(otherTenant);
  await tx.insertActor(actor);
}

/** Puts a key with its versions into the store. */
export async function addKey(store: Store, key: KeyRecord, versions: VersionRecord[] = []): Promise<void> {
  await store.transaction(async (tx) => {
    await tx.insertKey(key);
    for (const version of versions) await tx.insertVersion(version);
  });
}

/** Key number 1 with one active version. */
export async function addSimpleKey(store: Store, set: Partial<VersionRecord> = {}): Promise<KeyRecord> {
  const key = keyRecord(1, { activeVersion: 1 });
  await addKey(store, key, [versionRecord(key.id, 1, set)]);
  return key;
}

/** The KeyctlError that the work ends with; fails when it ends well or with anything else. */
export async function failureOf(work: Promise<unknown>): Promise<KeyctlError> {
  try {
    await work;
  } catch (error) {
    if (isKeyctlError(error)) return error;
    throw new Error("something other than a KeyctlError was thrown", { cause: error });
  }
  throw new Error("nothing was thrown");
}

/** Reads a stream to its end. */
export async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}
