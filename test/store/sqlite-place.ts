import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Store } from "../../src/app/ports.ts";
import { openSqliteStore } from "../../src/store/sqlite.ts";
import type { SqliteStoreOptions } from "../../src/store/sqlite.ts";
import type { StorePlace } from "./place.ts";
import { chainTree } from "./records.ts";

/** A folder with one store file in it. */
export interface SqlitePlace extends StorePlace {
  folder: string;
  path: string;
  openWith(options: Partial<SqliteStoreOptions>): Promise<Store>;
  closeAll(): Promise<void>;
}

/** Everything but path and create, as tests open stores. */
export const openOptions = {
  tree: chainTree,
  random: { bytes: (count: number) => randomBytes(count) },
  clock: { now: () => 1_700_000_000_000 },
  busyTimeoutMs: 50,
} as const;

/** A place in a temporary folder of its own; nothing is made in it yet. */
export async function newSqlitePlace(): Promise<SqlitePlace> {
  const folder = await mkdtemp(join(tmpdir(), "keyctl-store-"));
  const path = join(folder, "home", "store.db");
  const opened: Store[] = [];
  const openWith = async (options: Partial<SqliteStoreOptions>) => {
    const store = await openSqliteStore({ path, create: true, ...openOptions, ...options });
    opened.push(store);
    return store;
  };
  const closeAll = async () => {
    for (const store of opened.splice(0)) await store.close();
  };
  return {
    folder,
    closeAll,
    path,
    openWith,
    open: async () => await openWith({}),
    remove: async () => {
      await closeAll();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
