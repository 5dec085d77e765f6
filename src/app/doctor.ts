import { dirname, resolve } from "node:path";
import { systemLog } from "../audit/entry.ts";
import { auditEntriesMax, checkAudit } from "./check-audit.ts";
import { checkClock } from "./check-clock.ts";
import { checkDisk } from "./check-disk.ts";
import { checkEnvironment } from "./check-environment.ts";
import { besideDatabase, checkFiles, checkFoldersAbove, checkOwner, checkpointFiles } from "./check-files.ts";
import type { WatchedPath } from "./check-files.ts";
import { checkPath, checkProgram } from "./check-program.ts";
import type { Program } from "./check-program.ts";
import { checkCaller, checkMaintenance, checkStore } from "./check-store.ts";
import type { StoreFindings, StoreTarget } from "./check-store.ts";
import { checkRows, rowVersionsMax } from "./check-rows.ts";
import { checkVault } from "./check-vault.ts";
import type { VaultTarget } from "./check-vault.ts";
import { checked, passed } from "./check.ts";
import type { Check, Line } from "./check.ts";
import type { CheckpointMemory, Clock, FileInspector } from "./ports.ts";

/** What the settings of this call come to. */
export interface DoctorTarget {
  /** Each with its source, in words. */
  settings: readonly { name: string; value: string | null; source: string }[];
  tenant: string;
  store: StoreTarget;
  vault: VaultTarget;
}

export interface DoctorDeps {
  clock: Clock;
  program: Program;
  env: Readonly<Record<string, string | undefined>>;
  /** Absolute. */
  cwd: string;
  login: string;
  uid: number | null;
  files: FileInspector;
  /** Where keyctl keeps its own things, whatever the settings say. */
  places: {
    data: string;
    configFile: string;
    unlockKey: string;
    checkpoints: string;
    source: "KEYCTL_HOME" | "XDG";
  };
  /** Each reads one configuration file, answers its path or null without one, and rejects when it is not understood. */
  configFiles: readonly (Line & { read(): Promise<string | null> })[];
  /** Rejects when flags, environment and files do not come to an answer. */
  resolve(): Promise<DoctorTarget>;
  memory: Pick<CheckpointMemory, "recall">;
  /** `auditEntriesMax` unless given. */
  entriesMax?: number;
}

/**
 * Looks at everything that keyctl stands on, and says of each what is true and what to do. Whatever is broken is a line,
 * never an error; nothing is changed, not even an audit entry is written. Only Ctrl-C ends it early.
 */
export async function doctor(deps: DoctorDeps): Promise<Check[]> {
  const before = [
    ...checkProgram(deps.program),
    ...(await checkPath(deps)),
    ...checkEnvironment(deps.env),
    placesLine(deps.places),
    ...(await checkConfigFiles(deps.configFiles)),
  ];
  const { checks, target } = await resolveTarget(deps, before);
  const watched = watchedPaths(deps, target);
  const remembered = await checkpointFiles(deps.files, deps.places.checkpoints);
  const files = [
    ...(await checkOwner(deps, [...watched, ...remembered])),
    ...(await checkFiles(deps, watched)),
    ...(await checkRemembered(deps, remembered)),
    ...(await checkFoldersAbove(deps, watchedFolders(deps, target))),
  ];
  if (target === null)
    return [...before, ...checks, ...files, ...(await checkClock(deps.clock.now(), null, []))];
  return [...before, ...checks, ...files, ...(await checkKeeping(deps, target))];
}

function placesLine({ data, configFile, checkpoints, source }: DoctorDeps["places"]): Check {
  const folders = [data, dirname(configFile), dirname(checkpoints)].join(", ");
  const message = source === "KEYCTL_HOME" ? `all in ${data} (KEYCTL_HOME is set)` : `in ${folders}`;
  return passed({ id: "places", subject: "keyctl's own files" }, message);
}

async function checkConfigFiles(configFiles: DoctorDeps["configFiles"]): Promise<Check[]> {
  const lines: Check[] = [];
  for (const file of configFiles) {
    lines.push(...(await checked(file, async () => [passed(file, (await file.read()) ?? "there is none")])));
  }
  return lines;
}

async function resolveTarget(
  deps: DoctorDeps,
  before: readonly Check[],
): Promise<{ checks: Check[]; target: DoctorTarget | null }> {
  let target: DoctorTarget | null = null;
  const checks = await checked({ id: "settings", subject: "settings" }, async () => {
    const found = await deps.resolve();
    target = found;
    return found.settings.map(({ name, value, source }) =>
      passed({ id: `setting.${name}`, subject: `setting ${name}` }, `${value ?? "none"} (${source})`),
    );
  });
  // A file that is not understood was told already, in the same words.
  const told = new Set(before.map(({ message }) => message));
  return { checks: checks.filter((each) => each.status === "ok" || !told.has(each.message)), target };
}

function watchedFolders({ places }: DoctorDeps, target: DoctorTarget | null): string[] {
  const databases = target === null ? [] : [target.store.path, target.vault.path];
  return [
    places.data,
    dirname(places.configFile),
    dirname(places.checkpoints),
    places.checkpoints,
    ...databases.map((path) => dirname(path)),
  ];
}

function watchedPaths(deps: DoctorDeps, target: DoctorTarget | null): WatchedPath[] {
  const { places, env, cwd } = deps;
  const folder = (id: string, subject: string, path: string): WatchedPath => ({
    id,
    subject,
    path,
    rule: "folder",
  });
  const passphrase = env["KEYCTL_PASSPHRASE_FILE"] ?? "";
  return [
    folder("folder.data", "data folder", places.data),
    folder("folder.config", "config folder", dirname(places.configFile)),
    folder("folder.state", "state folder", dirname(places.checkpoints)),
    folder("folder.checkpoints", "checkpoints folder", places.checkpoints),
    { id: "file.config", subject: "config.json", path: places.configFile, rule: "config" },
    { id: "file.unlock-key", subject: "unlock key's file", path: places.unlockKey, rule: "secret" },
    ...(target === null
      ? []
      : [...database("store", target.store.path), ...database("vault", target.vault.path)]),
    ...(passphrase === "" ? [] : [passphraseFile(resolve(cwd, passphrase))]),
  ];
}

function passphraseFile(path: string): WatchedPath {
  return { id: "file.passphrase", subject: "passphrase's file", path, rule: "secret" };
}

function database(what: "store" | "vault", path: string): WatchedPath[] {
  return [path, ...besideDatabase(path)].map((each) => ({
    id: each === path ? `file.${what}` : `file.${what}${each.slice(path.length)}`,
    subject: `${what}'s file`,
    path: each,
    rule: "private",
  }));
}

/** Many small files: one line, and one for each that is not as it should be. */
async function checkRemembered(deps: DoctorDeps, remembered: readonly WatchedPath[]): Promise<Check[]> {
  const lines = await checkFiles(deps, remembered);
  const troubles = lines.filter(({ status }) => status !== "ok");
  const [first] = lines;
  if (first === undefined || troubles.length > 0) return troubles;
  return [passed(first, `${lines.length} in files of your own`)];
}

/** Disk, clock, store, vault and log: what keeps the keys. */
async function checkKeeping(deps: DoctorDeps, target: DoctorTarget): Promise<Check[]> {
  const isVaultThere = await deps.files.facts(target.vault.path).then(
    (facts) => facts !== null,
    () => true,
  );
  const store = await checkStore(target.store, isVaultThere);
  try {
    return [
      ...(await checkDisk(deps.files, { what: "store", path: target.store.path })),
      ...(await checkDisk(deps.files, { what: "vault", path: target.vault.path })),
      ...(await checkContents(deps, target, store)),
    ];
  } finally {
    await store.look?.close();
  }
}

async function checkContents(deps: DoctorDeps, target: DoctorTarget, store: StoreFindings): Promise<Check[]> {
  const { reader } = store;
  const now = deps.clock.now();
  const who = await checkWho(deps, target, reader);
  const logs = [...(who.tenantId === null ? [] : [who.tenantId]), systemLog];
  const vault = await checkVault(
    { clock: deps.clock, unlockKey: deps.places.unlockKey, store: reader },
    target.vault,
  );
  try {
    const lines = [...(await checkClock(now, reader, logs)), ...store.checks, ...who.checks, ...vault.checks];
    if (reader === null) return lines;
    for (const log of logs) {
      const of = log === systemLog ? systemLine : tenantLine;
      const entriesMax = deps.entriesMax ?? auditEntriesMax;
      const reading = { store: reader, vault: vault.vault, memory: deps.memory, entriesMax };
      const { checks, replay } = await checkAudit(reading, { id: log, of });
      lines.push(...checks);
      if (log === systemLog || vault.vault === null) continue;
      const rows = { clock: deps.clock, store: reader, vault: vault.vault, versionsMax: rowVersionsMax };
      lines.push(...(await checkRows(rows, { tenantId: log, replay })));
    }
    return [...lines, ...(await checkMaintenance(reader, now))];
  } finally {
    await vault.look?.vault.close();
  }
}

const tenantLine = { id: "audit.tenant", subject: "tenant's audit log" };
const systemLine = { id: "audit.system", subject: "system's audit log" };

async function checkWho(
  { login }: DoctorDeps,
  { tenant }: DoctorTarget,
  store: StoreFindings["reader"],
): Promise<{ checks: Check[]; tenantId: string | null }> {
  let tenantId: string | null = null;
  if (store === null) return { checks: [], tenantId };
  const checks = await checked({ id: "actor", subject: "actor" }, async () => {
    const found = await checkCaller(store, { login, tenant });
    tenantId = found.tenant?.id ?? null;
    return found.checks;
  });
  return { checks, tenantId };
}
