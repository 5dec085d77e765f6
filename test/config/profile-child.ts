/**
 * A process of its own that adds a profile to a home's file, for tests of what happens when two do so, or when one is killed.
 * Usage: node profile-child.ts <home> <profile> <where it kills itself: never, middle, after>
 */
import { addProfile } from "../../src/config/profiles.ts";
import { exclusively } from "../../src/files/exclusively.ts";
import { privateFiles } from "../../src/files/private-files.ts";

const [home = "", name = "", point = "never"] = process.argv.slice(2);

/** The content in two pieces, the second of which is never asked for when the process dies between them. */
async function* halves(content: Uint8Array): AsyncGenerator<Uint8Array> {
  const middle = Math.floor(content.length / 2);
  yield content.slice(0, middle);
  if (point === "middle") process.kill(process.pid, "SIGKILL");
  yield await Promise.resolve(content.slice(middle));
}

const flags = { profile: null, store: null, vault: null, auth: null, tenant: null, env: null };
await addProfile(
  { flags, env: { KEYCTL_HOME: home }, cwd: home, homeDirectory: home, name, naming: null },
  {
    exclusively,
    files: {
      writePrivate: async (path, content) => {
        if (!(content instanceof Uint8Array)) throw new Error("the file is small");
        await privateFiles.writePrivate(path, halves(content));
        if (point === "after") process.kill(process.pid, "SIGKILL");
      },
    },
  },
);
