import type { Globals, Profiles } from "./cli/context.ts";
import type { Io } from "./cli/io.ts";
import { addProfile, listProfiles, planProfile, useProfile } from "./config/profiles.ts";
import { exclusively } from "./files/exclusively.ts";
import { privateFiles } from "./files/private-files.ts";

/** The profiles of the user's file. The part of `compose.ts` that only `init` and `profile` need. */
export function composeProfiles(io: Io, globals: Globals): Profiles {
  const request = { flags: globals, env: io.env, cwd: io.cwd, homeDirectory: io.homeDirectory };
  const writer = { files: privateFiles, exclusively };
  return {
    list: async () => await listProfiles(request),
    use: async (name, { dryRun }) => await useProfile({ ...request, name, dryRun }, writer),
    plan: async (wish) => await planProfile({ ...request, ...wish }),
    add: async (wish) => await addProfile({ ...request, ...wish }, writer),
  };
}
