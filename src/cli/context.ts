import type { Deps, MutationOptions } from "../app/deps.ts";
import type { DoctorDeps } from "../app/doctor.ts";
import type { ScanItem } from "../app/scan-for-leaks.ts";
import type { BundleSource } from "../audit/verify-bundle.ts";
import type { CheckpointMemory, ListedProfile, PrivateFiles, Programs, Random } from "../app/ports.ts";
import type { CommandDefinition } from "./command.ts";
import type { NamingMode } from "../core/naming.ts";
import type { Danger } from "./danger.ts";
import type { Io } from "./io.ts";
import type { Answer } from "./render/answer.ts";
import type { OutputFormat } from "./render/view.ts";
import type { Talk } from "./talk.ts";

/** The flags that every verb takes. */
export interface Globals {
  profile: string | null;
  store: string | null;
  vault: string | null;
  auth: string | null;
  tenant: string | null;
  env: string | null;
  yes: boolean;
  confirm: string | null;
  dryRun: boolean;
  /** null: not asked for; the default is `table`. */
  output: OutputFormat | null;
  outFile: string | null;
}

/** What the command line shows of the settings; each says in words where its value is from. */
export interface Settings {
  profile: { value: string; source: string };
  store: { value: string; source: string };
  vault: { value: string; source: string };
  tenant: { value: string; source: string };
  env: { value: string; source: string };
  /** What happens to new keys whose names do not follow the convention. */
  naming: { value: NamingMode; source: string };
  /** Paths that a project's `keyctl.json` names for leak-scan, absolute; empty when it names none. */
  leakScanPaths: readonly string[];
}

/** A profile as it would be, or is, in the user's file. */
export interface ProfilePlan {
  name: string;
  /** The user's file. */
  path: string;
  isNew: boolean;
  profile: Readonly<Record<"store" | "vault" | "auth" | "tenant" | "env" | "naming", string | null>>;
}

/** The profiles of the user's own file. */
export interface Profiles {
  list(): Promise<ListedProfile[]>;
  /** Makes it the one that is used unless something stronger says another; false when it is that. `not-found`. */
  use(name: string, options: { dryRun: boolean }): Promise<boolean>;
  /** What `add` would write. `conflict` when there is one of that name with other values than the flags say. */
  plan(wish: { name: string; naming: string | null }): Promise<ProfilePlan>;
  add(wish: { name: string; naming: string | null }): Promise<ProfilePlan>;
}

/** What use cases take, open; the frame closes it. */
export interface Session extends Deps {
  close(): Promise<void>;
}

export interface SessionOptions {
  /** A missing store (and vault) is made. */
  make: boolean;
  /** The generation of an older vault that is accepted for this call. */
  acceptVault?: number;
  /** The service for which the call is made, for keys that only named services open. */
  service?: string;
  /** How a new vault is unlocked; `file` by default. */
  vaultKey?: "file" | "passphrase";
  /** Instead of the context's tenant, which may not be made yet. */
  tenant?: string;
  /** A tenant that was deleted will do: its log is still to be read. */
  deletedTenant?: boolean;
  /** A glance while a person types: a store of an older release is not migrated, and a locked one not waited for. */
  glance?: boolean;
}

/** The settings of this call, and the door to what they name. */
export interface Place {
  settings: Settings;
  /**
   * Opens the store and names the caller. Without a store: `unavailable` that says where it was looked for and why, or,
   * with `make`, a new one and one line about it.
   */
  openSession(options: SessionOptions): Promise<Session>;
}

/** A temporary folder in which shell lines are run for real, with a home of its own. */
export interface Workshop {
  readonly folder: string;
  write(name: string, content: string | Uint8Array): Promise<void>;
  /** Runs one line in `sh`; every byte it prints goes to `print`, in order. Answers its exit status. */
  run(line: string, print: (text: string) => void): Promise<number>;
  remove(): Promise<void>;
}

/** What `compose.ts` gives to the command line. */
export interface Services {
  files: PrivateFiles;
  random: Random;
  /** A temporary folder with a `keyctl` on the PATH, for `demo`. */
  workshop(): Promise<Workshop>;
  /** Runs other programs, for `exec`. */
  programs: Programs;
  /** Opens files of an export bundle's folder. */
  bundle(folder: string): BundleSource;
  /** Files below paths, for leak-scan; what cannot be looked into comes as `skipped`. */
  walk(paths: readonly string[]): Iterable<ScanItem>;
  /** Checkpoints that this client remembers; also for what runs without a store. */
  memory(globals: Globals): Promise<CheckpointMemory>;
  /** What `doctor` looks through; never rejects. */
  doctor(globals: Globals): Promise<DoctorDeps>;
  profiles(globals: Globals): Promise<Profiles>;
  /** `usage` for a setting that is not understood, `not-found` for an unknown profile; `planned` counts as written. */
  resolve(globals: Globals, planned?: ProfilePlan): Promise<Place>;
}

/** Loaded at the first need, so that help and usage errors load neither store nor vault. */
export type LoadServices = (io: Io, talk: Talk) => Promise<Services>;

/** What a command's `run` gets. */
export interface CommandContext {
  io: Io;
  talk: Talk;
  answer: Answer;
  globals: Globals;
  definition: CommandDefinition;
  services: () => Promise<Services>;
  /** Resolved once. */
  place: () => Promise<Place>;
  /** Opened once, closed by the frame; a mutation names its store and vault on stderr. `make`: a missing store is made. */
  session: (options?: SessionOptions) => Promise<Session>;
  /** `--reason --ticket --if-revision --idempotency-key`, as far as the command takes them. */
  mutationOptions: () => MutationOptions;
  /** Returns when the person or the flags agreed; else throws `usage`, `conflict` or `interrupted`. */
  confirm: (danger: Danger) => Promise<void>;
  /** This command line with more flags, as a person can type it again. */
  lineWith: (flags: readonly string[]) => string;
  /** From now on Ctrl-C is another program's; throws `interrupted` when it was pressed already. */
  passInterruptsOn: () => void;
  /** Runs another command line in the same process, for `demo`; answers its exit code. */
  runAgain: (argv: readonly string[], io: Io) => Promise<number>;
}
