import type { DoctorDeps, DoctorTarget } from "./app/doctor.ts";
import type { Clock, Random } from "./app/ports.ts";
import { auditTree } from "./audit/merkle.ts";
import type { Globals } from "./cli/context.ts";
import type { Io } from "./cli/io.ts";
import { readPassphrase } from "./cli/passphrase-input.ts";
import type { System } from "./compose.ts";
import { listSettings } from "./config/list-settings.ts";
import { findPlaces } from "./config/places.ts";
import { loadProjectFile } from "./config/project-file.ts";
import { loadSettings } from "./config/settings.ts";
import type { ResolvedSettings } from "./config/settings.ts";
import { loadUserFile } from "./config/user-file.ts";
import { FileCheckpointMemory } from "./files/checkpoint-memory.ts";
import { fileInspector } from "./files/inspector.ts";
import { privateFiles } from "./files/private-files.ts";
import { readDatabaseImage } from "./files/sqlite-image.ts";
import { lookAtSqliteStore } from "./store/sqlite.ts";
import { lookAtEmbeddedVault } from "./vault/embedded/open.ts";

interface Surroundings {
  io: Io;
  system: System;
  random: Random;
}

/** What `doctor` looks through: the adapters in their forms that only read. The part of `compose.ts` that only it needs. */
export function composeDoctor(around: Surroundings, globals: Globals): DoctorDeps {
  const { io, system } = around;
  const request = { flags: globals, env: io.env, cwd: io.cwd, homeDirectory: io.homeDirectory };
  const places = findPlaces(request);
  const files = fileInspector(system.platform);
  return {
    clock: { now: () => io.now() },
    program: {
      version: system.tool.slice(system.tool.indexOf("/") + 1),
      script: system.script,
      nodeVersion: system.nodeVersion,
      nodeRange: system.nodeRange,
    },
    env: io.env,
    cwd: io.cwd,
    login: io.login,
    uid: system.uid,
    files,
    places,
    configFiles: [
      {
        id: "config.user",
        subject: "your config.json",
        read: async () => {
          const { path } = await loadUserFile(places.configFile);
          return (await files.facts(path)) === null ? null : path;
        },
      },
      {
        id: "config.project",
        subject: "project's keyctl.json",
        read: async () => (await loadProjectFile(io.cwd))?.path ?? null,
      },
    ],
    resolve: async () => targetOf(around, await loadSettings(request)),
    memory: new FileCheckpointMemory(places.checkpoints, privateFiles),
  };
}

function targetOf(around: Surroundings, settings: ResolvedSettings): DoctorTarget {
  const clock: Clock = { now: () => around.io.now() };
  const { store, vault } = settings;
  return {
    settings: listSettings(settings),
    tenant: settings.tenant.value,
    store: {
      ...store.value,
      isDefault: store.source.kind === "default",
      look: async () => {
        const { path } = store.value;
        const image = await readDatabaseImage(path);
        return image === null ? null : await lookAtSqliteStore({ path, image, tree: auditTree, clock });
      },
    },
    vault: {
      ...vault.value,
      isDefault: vault.source.kind === "default",
      look: async () => {
        const { path } = vault.value;
        const image = await readDatabaseImage(path);
        const unlock = {
          keyFile: { path: settings.places.unlockKey, uid: around.system.uid },
          readPassphrase: async () => await readPassphrase(around.io, { isNew: false }),
        };
        const { random } = around;
        return image === null ? null : await lookAtEmbeddedVault({ path, unlock, random, clock }, image);
      },
      passphraseAtHand: async () => await isPassphraseAtHand(around.io),
    },
  };
}

async function isPassphraseAtHand(io: Io): Promise<boolean> {
  const isSet = (name: string): boolean => (io.env[name] ?? "") !== "";
  if (isSet("KEYCTL_PASSPHRASE_FD") || isSet("KEYCTL_PASSPHRASE_FILE")) return true;
  const prompter = await io.openPrompter();
  prompter?.close();
  return prompter !== null;
}
