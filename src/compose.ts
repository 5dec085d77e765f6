import { randomBytes, randomFillSync } from "node:crypto";
import { dirname, resolve } from "node:path";
import { mkdir, stat } from "node:fs/promises";
import { admitCaller } from "./app/admit-caller.ts";
import type { InitDeps } from "./app/init-store.ts";
import { Keyring } from "./app/keyring.ts";
import { assertNotOlder } from "./app/older-vault.ts";
import type { Clock, Random, Store, Vault } from "./app/ports.ts";
import { auditTree } from "./audit/merkle.ts";
import type { Globals, Place, ProfilePlan, Services, Session, SessionOptions } from "./cli/context.ts";
import type { Io } from "./cli/io.ts";
import { readPassphrase } from "./cli/passphrase-input.ts";
import type { Talk } from "./cli/talk.ts";
import { describeSource } from "./config/setting.ts";
import { loadSettings } from "./config/settings.ts";
import type { ResolvedSettings } from "./config/settings.ts";
import { KeyctlError } from "./core/errors.ts";
import { bundleSource } from "./files/bundle-source.ts";
import { FileCheckpointMemory } from "./files/checkpoint-memory.ts";
import { privateFiles } from "./files/private-files.ts";
import { processTable } from "./files/process-table.ts";
import type { SignalSource } from "./files/programs.ts";
import { walkFiles } from "./files/walk.ts";
import { openSqliteStore } from "./store/sqlite.ts";
import type { SqliteStoreOptions } from "./store/sqlite.ts";
import type { UnlockMethod, UnlockSource } from "./vault/embedded/unlock.ts";

/** What only the process itself knows; `main.ts` reads it. */
export interface System {
  pid: number;
  platform: string;
  /** Null where the system has no user ids. */
  uid: number | null;
  /** Name and version of the program. */
  tool: string;
  /** The Node that runs this, and `bin/keyctl.js`. */
  node: string;
  script: string;
  /** That Node's version, and the range that package.json names. */
  nodeVersion: string;
  nodeRange: string;
  /** Where its signals arrive. */
  signals: SignalSource;
}

interface Surroundings {
  io: Io;
  talk: Talk;
  system: System;
  /** Told after each step of an operation. */
  observer?: Session["observer"];
  /** How long to wait for the store's lock and how large its file may grow; the store's own defaults else. */
  limits?: Pick<SqliteStoreOptions, "busyTimeoutMs" | "pagesMax">;
}

const pool = Buffer.alloc(4096);
let poolAt = pool.length;

/** Asking the system for a few bytes costs more than what they are used for: they are drawn by the page, and wiped as they go. */
const random: Random = {
  bytes: (count) => {
    if (count > pool.length / 16) return randomBytes(count);
    if (poolAt + count > pool.length) {
      randomFillSync(pool);
      poolAt = 0;
    }
    const drawn = Uint8Array.from(pool.subarray(poolAt, poolAt + count));
    pool.fill(0, poolAt, poolAt + count);
    poolAt += count;
    return drawn;
  },
};

/** Puts adapters and use cases together: the only file that knows every adapter. */
export function composeServices(surroundings: Surroundings): Services {
  const { io } = surroundings;
  return {
    files: privateFiles,
    bundle: (folder) => bundleSource(resolve(io.cwd, folder)),
    random,
    walk: walkFiles,
    workshop: async () => {
      const { node, script } = surroundings.system;
      const { makeWorkshop } = await import("./files/workshop.ts");
      return await makeWorkshop({ node, script, path: io.env["PATH"] ?? "" });
    },
    programs: {
      run: async (call) => {
        const { childPrograms } = await import("./files/programs.ts");
        return await childPrograms(surroundings.system.signals).run(call);
      },
    },
    memory: async (globals) => memoryOf(await settingsOf(surroundings.io, globals)),
    doctor: async (globals) => {
      const { composeDoctor } = await import("./compose-doctor.ts");
      return composeDoctor({ io, system: surroundings.system, random }, globals);
    },
    profiles: async (globals) => {
      const { composeProfiles } = await import("./compose-profiles.ts");
      return composeProfiles(io, globals);
    },
    resolve: async (globals, planned) =>
      placeOf(surroundings, await settingsOf(surroundings.io, globals, planned)),
  };
}

function memoryOf(settings: ResolvedSettings): FileCheckpointMemory {
  return new FileCheckpointMemory(settings.places.checkpoints, privateFiles);
}

async function settingsOf(io: Io, globals: Globals, planned?: ProfilePlan): Promise<ResolvedSettings> {
  const request = { flags: globals, env: io.env, cwd: io.cwd, homeDirectory: io.homeDirectory };
  return await loadSettings(request, new Map(planned && [[planned.name, planned.profile]]));
}

function placeOf(surroundings: Surroundings, settings: ResolvedSettings): Place {
  const shown = <T extends string>(value: T, source: ResolvedSettings["store"]["source"]) => ({
    value,
    source: describeSource(source),
  });
  return {
    settings: {
      profile: shown(settings.profile.value, settings.profile.source),
      store: shown(settings.store.value.url, settings.store.source),
      vault: shown(settings.vault.value.url, settings.vault.source),
      tenant: shown(settings.tenant.value, settings.tenant.source),
      env: shown(settings.env.value, settings.env.source),
      naming: shown(settings.naming.value, settings.naming.source),
      leakScanPaths: settings.leakScanPaths.value,
    },
    openSession: async (options) => await openSession(surroundings, settings, options),
  };
}

async function openSession(
  surroundings: Surroundings,
  settings: ResolvedSettings,
  options: SessionOptions,
): Promise<Session> {
  const { io, talk, limits = {} } = surroundings;
  const clock: Clock = { now: () => io.now() };
  const store = await openStore({ clock, talk, limits }, settings, options.make);
  const vault = vaultOpener({ io, talk, clock, store, uid: surroundings.system.uid }, settings, options);
  const close = async (): Promise<void> => {
    await vault.close();
    await store.close();
  };
  try {
    const init: InitDeps = {
      clock,
      random,
      store,
      vault: vault.open,
      login: io.login,
      auth: osUser,
      tool: surroundings.system.tool,
      personal: personalOf(io, surroundings.system),
    };
    if (options.make) {
      // It writes to the log, and with that comes every rule of what must not stand in a log: not for whoever only reads.
      const { initStore } = await import("./app/init-store.ts");
      await initStore(init);
    }
    const session = await sessionOf(surroundings, settings, {
      ...init,
      service: options.service ?? null,
      tenantName: options.tenant ?? settings.tenant.value,
      deletedToo: options.deletedTenant ?? false,
    });
    return { ...session, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** SQLite knows its user only from the operating system; the log says so. */
const osUser = "os-user, not authenticated";

async function sessionOf(
  surroundings: Surroundings,
  settings: ResolvedSettings,
  init: InitDeps & { service: string | null; tenantName: string; deletedToo: boolean },
): Promise<Omit<Session, "close">> {
  const { io, talk, system, observer } = surroundings;
  const { clock, store, vault, service } = init;
  const warn = (message: string): void => talk.warn(message);
  const caller = await admitCaller(
    { store, clock, random, tool: system.tool, warn },
    {
      login: io.login,
      auth: osUser,
      personal: init.personal,
      tenant: init.tenantName,
      where: `${store.url} (${describeSource(settings.tenant.source)})`,
      env: settings.env.value,
      service,
      deletedToo: init.deletedToo,
    },
  );
  return {
    clock,
    random,
    store,
    vault,
    processes: processTable(system),
    keyring: new Keyring({ store, vault, clock }),
    naming: settings.naming.value,
    files: privateFiles,
    memory: memoryOf(settings),
    caller,
    tool: system.tool,
    warn,
    ...(observer === undefined ? {} : { observer }),
  };
}

/** Personal data of a call: who the system says it is, and from where, when it came over SSH. */
function personalOf(io: Io, system: System): Record<string, string> {
  const [ip] = (io.env["SSH_CONNECTION"] ?? "").split(" ");
  return { login: io.login, userAgent: `${system.tool} ${system.platform}`, ...(ip ? { ip } : {}) };
}

async function openStore(
  with_: { clock: Clock; talk: Talk; limits: NonNullable<Surroundings["limits"]> },
  settings: ResolvedSettings,
  make: boolean,
): Promise<Store> {
  const { path, url } = settings.store.value;
  const isNew = !(await exists(path));
  if (isNew && !make) {
    const why = `profile ${settings.profile.value} was chosen because ${describeSource(settings.profile.source)}`;
    throw new KeyctlError("unavailable", `no store at ${url}; ${why}`, {
      hint: howToMakeStore(settings),
      retryable: false,
    });
  }
  const { clock, limits } = with_;
  // A file that lost its content becomes a new store too: nobody should take it for the old one.
  const isEmpty = isNew || (await stat(path)).size === 0;
  const store = await openSqliteStore({ path, create: make, tree: auditTree, random, clock, ...limits });
  if (isEmpty) with_.talk.note(`made a new store at ${url}`);
  return store;
}

function howToMakeStore({ profile, store }: ResolvedSettings): string {
  if (store.source.kind !== "user-file" || profile.source.kind === "default")
    return "keyctl init makes one; --store, --profile or KEYCTL_HOME choose another";
  return `if there was one, restore it from a backup; else keyctl init --profile ${profile.value} makes one`;
}

interface VaultSurroundings {
  io: Io;
  talk: Talk;
  clock: Clock;
  store: Store;
  uid: number | null;
}

/** The vault, opened at first use and at most once; never one older than the store has seen. */
function vaultOpener(
  around: VaultSurroundings,
  settings: ResolvedSettings,
  options: SessionOptions,
): { open: () => Promise<Vault>; close: () => Promise<void> } {
  let opened: Promise<Vault> | null = null;
  const open = async (): Promise<Vault> => {
    opened ??= openVault(around, settings, options).catch((error: unknown) => {
      opened = null;
      throw error;
    });
    return await opened;
  };
  return {
    open,
    close: async () => {
      const vault = await opened?.catch(() => null);
      await vault?.close();
    },
  };
}

async function openVault(
  around: VaultSurroundings,
  settings: ResolvedSettings,
  options: SessionOptions,
): Promise<Vault> {
  const { createEmbeddedVault, openEmbeddedVault } = await import("./vault/embedded/open.ts");
  const { path, url } = settings.vault.value;
  const keyFile = { path: settings.places.unlockKey, uid: around.uid };
  const isNew = options.make && !(await exists(path));
  const unlock: UnlockSource = {
    keyFile,
    readPassphrase: async () => await readPassphrase(around.io, { isNew }),
  };
  const common = { path, unlock, random, clock: around.clock };
  if (!isNew) return await notOlder(await openEmbeddedVault(common), around.store, options.acceptVault);
  await assertNeverHadVault(around.store, url);
  const method: UnlockMethod = options.vaultKey ?? "file";
  await makeFolder(dirname(path));
  if (method === "file") await makeFolder(dirname(keyFile.path));
  const vault = await createEmbeddedVault({ ...common, method });
  around.talk.note(`made a new vault at ${url}`);
  around.talk.note(
    method === "file"
      ? `its unlock key is ${keyFile.path}: back it up, and not beside the vault`
      : "it opens with your passphrase only",
  );
  return vault;
}

/** A store that has roots belongs to a vault that existed: making an empty one in its place would hide the loss. */
async function assertNeverHadVault(store: Store, url: string): Promise<void> {
  if ((await store.rootReferences("pepper")).length === 0) return;
  throw new KeyctlError("unavailable", `the vault ${url} is missing, and the store has keys in it`, {
    hint: "restore the vault file and its unlock key from their backups",
    retryable: false,
  });
}

async function notOlder(vault: Vault, store: Store, accepted: number | undefined): Promise<Vault> {
  const seen = (await store.meta()).vaultGeneration;
  const generation = seen === null ? null : await vault.generation();
  if (generation !== null && generation === accepted) return vault;
  try {
    assertNotOlder(vault, { generation, seen });
    return vault;
  } catch (error) {
    await vault.close();
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    // Anything but "not there" is for the opener to explain.
    return !(
      error instanceof Error &&
      "code" in error &&
      (error.code === "ENOENT" || error.code === "ENOTDIR")
    );
  }
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new KeyctlError("unavailable", `the folder ${path} cannot be made`, {
      hint: "check the path, and the permissions of the folder above it",
      retryable: false,
      cause: error,
    });
  }
}
