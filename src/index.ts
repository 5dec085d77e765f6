/**
 * keyctl as a library: a back end verifies, opens and wraps with the same code as the command line. Importing it does nothing;
 * `openKeyring` reads the process, the settings and the files.
 */
import { homedir } from "node:os";
import { resolve } from "node:path";
import packageJson from "../package.json" with { type: "json" };
import { KeyctlError } from "./core/errors.ts";
import { isInRange } from "./core/node-range.ts";
import type { Keyring } from "./library/keyring.ts";

export { isKeyctlError, KeyctlError } from "./core/errors.ts";
export type { ErrorCode, ErrorDetails } from "./core/errors.ts";
export { Secret } from "./core/secret.ts";
export type { VerifyResult } from "./app/describe-verification.ts";
export type { VerifyReason } from "./app/judge-key.ts";
export type {
  DataKey,
  Keyring,
  OpenedKey,
  OpenedProviderKey,
  Values,
  VerifyOptions,
} from "./library/keyring.ts";

/** Which keyring to open. What is not said is decided as for the command line: `KEYCTL_*`, the profile, the defaults. */
export interface KeyringOptions {
  profile?: string;
  /** `sqlite:PATH` */
  store?: string;
  /** `embedded:PATH` */
  vault?: string;
  tenant?: string;
  env?: string;
  /** The folder that `KEYCTL_HOME` names otherwise. */
  home?: string;
  /** The service that this program is, for keys that only named services may use. */
  service?: string;
  /** Told what went less well without failing a call; `process.emitWarning` otherwise. */
  onWarning?: (message: string) => void;
}

/**
 * Opens store and vault, and fetches what verification needs. `unavailable` when one of them is not there: nothing is made;
 * `usage` for a setting that is not understood; `forbidden` for a user who is no actor or may not use keys; `not-found` for an
 * unknown profile or tenant; `unauthenticated` for a vault whose passphrase is not at hand (`KEYCTL_PASSPHRASE_FILE`).
 */
export async function openKeyring(options: KeyringOptions = {}): Promise<Keyring> {
  assertNode();
  const { onWarning = emitWarning } = options;
  const said = (name: Exclude<keyof KeyringOptions, "onWarning">): string | null => textOf(options, name);
  const home = said("home");
  const [{ composeKeyring }, { loginOf, readNamedFile }, { readPassphrase }] = await Promise.all([
    import("./compose-keyring.ts"),
    import("./cli/process-io.ts"),
    import("./cli/passphrase-input.ts"),
  ]);
  const env = home === null ? process.env : { ...process.env, KEYCTL_HOME: home };
  const cwd = process.cwd();
  const nobodyToAsk = {
    env,
    readFile: async (path: string, bytesMax: number) => await readNamedFile(resolve(cwd, path), bytesMax),
    openPrompter: async () => await Promise.resolve(null),
  };
  return await composeKeyring(
    {
      io: { env, cwd, homeDirectory: homedir(), login: loginOf(process), now: () => Date.now() },
      talk: { note: () => undefined, warn: onWarning },
      system: {
        pid: process.pid,
        platform: process.platform,
        uid: process.getuid?.() ?? null,
        tool: `keyctl/${packageJson.version}`,
      },
      readPassphrase: async (asked) => await readPassphrase(nobodyToAsk, asked),
      stopwatch: performance,
      every: (ms, work) => {
        const timer = setInterval(work, ms).unref();
        return () => clearInterval(timer);
      },
    },
    {
      profile: said("profile"),
      store: said("store"),
      vault: said("vault"),
      tenant: said("tenant"),
      env: said("env"),
      service: said("service"),
    },
  );
}

/** The database's driver crashes under an older Node; the program deserves to know why. */
function assertNode(): void {
  const { node } = process.versions;
  if (isInRange(node, packageJson.engines.node)) return;
  throw new KeyctlError("unavailable", `this is Node ${node}, and keyctl needs ${packageJson.engines.node}`, {
    hint: "run the program with Node 24",
    retryable: false,
  });
}

/** Programs in plain JavaScript come without the compiler's promise: an empty variable must not choose a default. */
function textOf(options: KeyringOptions, name: Exclude<keyof KeyringOptions, "onWarning">): string | null {
  const value: unknown = options[name];
  if (value === undefined) return null;
  if (typeof value === "string" && value !== "") return value;
  throw new KeyctlError("usage", `${name} of openKeyring is not a text, or is empty`, {
    hint: "leave it out to let the settings decide",
  });
}

function emitWarning(message: string): void {
  process.emitWarning(message, { type: "KeyctlWarning" });
}
