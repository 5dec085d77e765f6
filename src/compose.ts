import { resolve } from "node:path";
import type { Place, Services } from "./cli/context.ts";
import type { Io } from "./cli/io.ts";
import { readPassphrase } from "./cli/passphrase-input.ts";
import type { Talk } from "./cli/talk.ts";
import { memoryOf, openSession, random, settingsOf } from "./compose-session.ts";
import type { Asker } from "./compose-session.ts";
import { describeSource } from "./config/setting.ts";
import type { ResolvedSettings } from "./config/settings.ts";
import { bundleSource } from "./files/bundle-source.ts";
import { privateFiles } from "./files/private-files.ts";
import type { SignalSource } from "./files/programs.ts";
import { walkFiles } from "./files/walk.ts";

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

interface Surroundings extends Pick<Asker, "observer" | "limits"> {
  io: Io;
  talk: Talk;
  system: System;
}

/** Puts adapters and use cases together: with its parts (compose-*.ts) the only place that knows every adapter. */
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

function placeOf(surroundings: Surroundings, settings: ResolvedSettings): Place {
  const readPassphraseOf: Asker["readPassphrase"] = async (options) =>
    await readPassphrase(surroundings.io, options);
  const asker = { ...surroundings, readPassphrase: readPassphraseOf };
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
    openSession: async (options) => await openSession(asker, settings, options),
  };
}
