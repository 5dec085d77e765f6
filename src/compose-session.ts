import { randomBytes, randomFillSync } from "node:crypto";
import { stat } from "node:fs/promises";
import { admitCaller } from "./app/admit-caller.ts";
import type { InitDeps } from "./app/init-store.ts";
import { Keyring } from "./app/keyring.ts";
import type { Clock, Random, Store } from "./app/ports.ts";
import { auditTree } from "./audit/merkle.ts";
import type { ProfilePlan, Session, SessionOptions } from "./cli/context.ts";
import type { Io } from "./cli/io.ts";
import type { Talk } from "./cli/talk.ts";
import { vaultOpener } from "./compose-vault.ts";
import type { System } from "./compose.ts";
import { describeSource } from "./config/setting.ts";
import { loadSettings } from "./config/settings.ts";
import type { ResolvedSettings, SettingsRequest } from "./config/settings.ts";
import { KeyctlError } from "./core/errors.ts";
import type { Secret } from "./core/secret.ts";
import { FileCheckpointMemory } from "./files/checkpoint-memory.ts";
import { isThere } from "./files/folders.ts";
import { privateFiles } from "./files/private-files.ts";
import { processTable } from "./files/process-table.ts";
import { openSqliteStore } from "./store/sqlite.ts";
import type { SqliteStoreOptions } from "./store/sqlite.ts";

/** Who asks for a session, and what it has of the process then: a command line, or a program that uses the library. */
export interface Asker {
  io: Pick<Io, "env" | "cwd" | "homeDirectory" | "login" | "now">;
  talk: Pick<Talk, "note" | "warn">;
  system: Pick<System, "pid" | "platform" | "uid" | "tool">;
  /** Of a vault that opens with one; asked for twice when it is new. */
  readPassphrase(options: { isNew: boolean }): Promise<Secret>;
  /** Told after each step of an operation. */
  observer?: Session["observer"];
  /** How long to wait for the store's lock and how large its file may grow; the store's own defaults else. */
  limits?: Pick<SqliteStoreOptions, "busyTimeoutMs" | "pagesMax">;
}

const pool = Buffer.alloc(4096);
let poolAt = pool.length;

/** Asking the system for a few bytes costs more than what they are used for: they are drawn by the page, and wiped as they go. */
export const random: Random = {
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

/** What this client remembers of logs. */
export function memoryOf(settings: ResolvedSettings): FileCheckpointMemory {
  return new FileCheckpointMemory(settings.places.checkpoints, privateFiles);
}

/** The settings of a call; `planned` is a profile that is about to be made. */
export async function settingsOf(
  io: Pick<Io, "env" | "cwd" | "homeDirectory">,
  flags: SettingsRequest["flags"],
  planned?: ProfilePlan,
): Promise<ResolvedSettings> {
  const request = { flags, env: io.env, cwd: io.cwd, homeDirectory: io.homeDirectory };
  return await loadSettings(request, new Map(planned && [[planned.name, planned.profile]]));
}

/**
 * Opens the store and, at first use, the vault, and names the caller; errors as `Place.openSession` has them. Both roots come
 * here: whatever asks, it gets the same.
 */
export async function openSession(
  asker: Asker,
  settings: ResolvedSettings,
  options: SessionOptions,
): Promise<Session> {
  const { io, talk, limits = {} } = asker;
  const clock: Clock = { now: () => io.now() };
  const store = await openStore({ clock, talk, limits }, settings, options);
  const vault = vaultOpener({ asker, clock, random, store }, settings, options);
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
      tool: asker.system.tool,
      personal: personalOf(io, asker.system),
    };
    if (options.make) {
      // It writes to the log, and with that comes every rule of what must not stand in a log: not for whoever only reads.
      const { initStore } = await import("./app/init-store.ts");
      await initStore(init);
    }
    const session = await sessionOf(asker, settings, {
      ...init,
      service: options.service ?? null,
      tenantName: options.tenant ?? settings.tenant.value,
      deletedToo: options.deletedTenant ?? false,
      glance: options.glance ?? false,
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
  asker: Asker,
  settings: ResolvedSettings,
  init: InitDeps & { service: string | null; tenantName: string; deletedToo: boolean; glance: boolean },
): Promise<Omit<Session, "close">> {
  const { io, talk, system, observer } = asker;
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
      glance: init.glance,
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
function personalOf(io: Asker["io"], system: Asker["system"]): Record<string, string> {
  const [ip] = (io.env["SSH_CONNECTION"] ?? "").split(" ");
  return { login: io.login, userAgent: `${system.tool} ${system.platform}`, ...(ip ? { ip } : {}) };
}

/** How long a glance at the store waits for its lock. */
const glanceMs = 100;

async function openStore(
  with_: { clock: Clock; talk: Asker["talk"]; limits: NonNullable<Asker["limits"]> },
  settings: ResolvedSettings,
  { make, glance = false }: Pick<SessionOptions, "make" | "glance">,
): Promise<Store> {
  const { path, url } = settings.store.value;
  const isNew = !(await isThere(path));
  if (isNew && !make) {
    const why = `profile ${settings.profile.value} was chosen because ${describeSource(settings.profile.source)}`;
    throw new KeyctlError("unavailable", `no store at ${url}; ${why}`, {
      hint: howToMakeStore(settings),
      retryable: false,
    });
  }
  const { clock } = with_;
  const manner = glance ? { asIs: true, busyTimeoutMs: glanceMs } : with_.limits;
  // A file that lost its content becomes a new store too: nobody should take it for the old one.
  const isEmpty = isNew || (await stat(path)).size === 0;
  const store = await openSqliteStore({ path, create: make, tree: auditTree, random, clock, ...manner });
  if (isEmpty) with_.talk.note(`made a new store at ${url}`);
  return store;
}

function howToMakeStore({ profile, store }: ResolvedSettings): string {
  if (store.source.kind !== "user-file" || profile.source.kind === "default")
    return "keyctl init makes one; --store, --profile or KEYCTL_HOME choose another";
  return `if there was one, restore it from a backup; else keyctl init --profile ${profile.value} makes one`;
}
