import { dirname, join } from "node:path";
import { KeyctlError } from "../core/errors.ts";
import { assertName } from "../core/key-name.ts";
import { namingModes } from "../core/naming.ts";
import type { NamingMode } from "../core/naming.ts";
import { nearestName } from "../core/near-name.ts";
import { findPlaces } from "./places.ts";
import type { Environment, Places } from "./places.ts";
import { loadProjectFile } from "./project-file.ts";
import type { ProjectFile } from "./project-file.ts";
import { describeSource } from "./setting.ts";
import type { Setting, SettingSource } from "./setting.ts";
import { parseStoreUrl, parseVaultUrl } from "./urls.ts";
import type { StoreUrl, VaultUrl } from "./urls.ts";
import { loadUserFile } from "./user-file.ts";
import type { Profile, UserFile } from "./user-file.ts";

export const authMethods = [
  "azure-cli",
  "workload-identity",
  "managed-identity",
  "client-certificate",
  "client-secret",
] as const;
export type AuthMethod = (typeof authMethods)[number];

/** Everything that was decided for one call, each with its source. */
export interface ResolvedSettings {
  profile: Setting<string>;
  store: Setting<StoreUrl>;
  vault: Setting<VaultUrl>;
  auth: Setting<AuthMethod | null>;
  tenant: Setting<string>;
  env: Setting<string>;
  naming: Setting<NamingMode>;
  leakScanPaths: Setting<string[]>;
  places: Places;
}

export interface SettingsRequest {
  flags: { [K in "profile" | "store" | "vault" | "auth" | "tenant" | "env"]: string | null };
  env: Environment;
  /** Absolute. */
  cwd: string;
  homeDirectory: string;
}

/** What holds when nothing is said. */
export const defaultProfile = "default";
export const defaultTenant = "default";
export const defaultEnvironment = "prod";

/** Store and vault of whoever says nothing. */
export function defaultUrls(places: Places): { store: string; vault: string } {
  return {
    store: `sqlite:${join(places.data, "store.db")}`,
    vault: `embedded:${join(places.data, "vault.db")}`,
  };
}

type Name = keyof SettingsRequest["flags"];

/**
 * Flags, then `KEYCTL_*`, then the chosen profile of the user's file, then the project's `keyctl.json`, then defaults.
 * `usage` for a value that is not understood, `not-found` for a profile that the user's file does not have; `more` are
 * profiles that it is taken to have.
 */
export async function loadSettings(
  request: SettingsRequest,
  more: ReadonlyMap<string, Profile> = new Map(),
): Promise<ResolvedSettings> {
  const places = findPlaces(request);
  const file = await loadUserFile(places.configFile);
  const user = { ...file, profiles: new Map([...file.profiles, ...more]) };
  const project = await loadProjectFile(request.cwd);
  const profile = chooseProfile(request, user, project);
  const choice = { request, user, project, profile: profile.value, chosen: profileOf(user, profile) };

  const urls = defaultUrls(places);
  const store = choose(choice, "store") ?? byDefault(urls.store);
  const vault = choose(choice, "vault") ?? byDefault(urls.vault);
  const tenant = choose(choice, "tenant") ?? byDefault(defaultTenant);
  const env = choose(choice, "env") ?? byDefault(defaultEnvironment);
  assertName("the tenant", tenant.value);
  assertName("the environment", env.value);
  return {
    profile,
    store: { value: parseStoreUrl(store.value, urlContext(request, store.source)), source: store.source },
    vault: { value: parseVaultUrl(vault.value, urlContext(request, vault.source)), source: vault.source },
    auth: authOf(choose(choice, "auth")),
    tenant,
    env,
    naming: namingOf(fromVariable(request, "naming") ?? fromProfile(choice, "naming")),
    leakScanPaths: leakScanPathsOf(project),
    places,
  };
}

/** Why this profile: `profile work was chosen because KEYCTL_PROFILE is set`. */
export function explainProfile(settings: Pick<ResolvedSettings, "profile">): string {
  return `profile ${settings.profile.value} was chosen because ${describeSource(settings.profile.source)}`;
}

/** Which profile, and who says so. */
export function chooseProfile(
  request: SettingsRequest,
  user: UserFile,
  project: ProjectFile | null,
): Setting<string> {
  const said = fromCall(request, "profile");
  if (said !== null) return said;
  if (user.profile !== null)
    return { value: user.profile, source: { kind: "user-file", path: user.path, profile: null } };
  if (project?.profile != null)
    return { value: project.profile, source: { kind: "project-file", path: project.path } };
  return byDefault(defaultProfile);
}

/** The chosen profile's values; `default` needs none. */
function profileOf(user: UserFile, profile: Setting<string>): Profile | null {
  const found = user.profiles.get(profile.value);
  if (found !== undefined) return found;
  if (profile.value === defaultProfile) return null;
  throw unknownProfile(profile.value, user, profile.source);
}

/** `not-found` for a profile that the user's file does not have, with the near one; `source` is who chose it. */
export function unknownProfile(name: string, user: UserFile, source: SettingSource | null): KeyctlError {
  assertName("the profile", name);
  const near = nearestName(name, [...user.profiles.keys(), defaultProfile]);
  const why = source === null ? "" : `; it was chosen because ${describeSource(source)}`;
  return new KeyctlError("not-found", `no profile ${name} in ${user.path}${why}`, {
    hint: near === null ? `keyctl init --profile ${name} makes it` : `did you mean ${near}?`,
  });
}

interface Choice {
  request: SettingsRequest;
  user: UserFile;
  project: ProjectFile | null;
  profile: string;
  chosen: Profile | null;
}

function choose(choice: Choice, name: Exclude<Name, "profile">): Setting<string> | null {
  const said = fromCall(choice.request, name);
  if (said !== null) return said;
  const own = fromProfile(choice, name);
  if (own !== null) return own;
  if ((name === "tenant" || name === "env") && choice.project?.[name] != null) {
    return { value: choice.project[name], source: { kind: "project-file", path: choice.project.path } };
  }
  return null;
}

function fromProfile({ chosen, user, profile }: Choice, name: keyof Profile): Setting<string> | null {
  const value = chosen?.[name] ?? null;
  return value === null ? null : { value, source: { kind: "user-file", path: user.path, profile } };
}

/** What this call says, by flag or else by environment. */
export function fromCall(request: SettingsRequest, name: Name): Setting<string> | null {
  const flag = request.flags[name];
  if (flag !== null) return { value: flag, source: { kind: "flag", name: `--${name}` } };
  return fromVariable(request, name);
}

function fromVariable(request: SettingsRequest, name: Name | "naming"): Setting<string> | null {
  const variable = `KEYCTL_${name.toUpperCase()}`;
  const value = request.env[variable] ?? "";
  return value === "" ? null : { value, source: { kind: "environment", name: variable } };
}

/** A relative path in the user's file starts from the file, one that was typed from where it was typed. */
function urlContext(
  request: SettingsRequest,
  source: SettingSource,
): { folder: string; homeDirectory: string } {
  return {
    folder: source.kind === "user-file" ? dirname(source.path) : request.cwd,
    homeDirectory: request.homeDirectory,
  };
}

/** One of `authMethods`, or null; `usage` for another word. */
export function authOf(said: Setting<string> | null): Setting<AuthMethod | null> {
  return said === null ? byDefault(null) : oneOf("auth", said, authMethods);
}

/** One of `namingModes`, `off` when nothing is said; `usage` for another word. */
export function namingOf(said: Setting<string> | null): Setting<NamingMode> {
  return said === null ? byDefault("off") : oneOf("naming", said, namingModes);
}

function oneOf<T extends string>(what: string, said: Setting<string>, known: readonly T[]): Setting<T> {
  const found = known.find((word) => word === said.value);
  if (found !== undefined) return { value: found, source: said.source };
  throw new KeyctlError("usage", `${what} is not one that keyctl knows; ${describeSource(said.source)}`, {
    hint: `one of ${known.join(", ")}`,
  });
}

function leakScanPathsOf(project: ProjectFile | null): Setting<string[]> {
  if (project === null || project.leakScanPaths.length === 0) return byDefault([]);
  return { value: project.leakScanPaths, source: { kind: "project-file", path: project.path } };
}

function byDefault<T>(value: T): Setting<T> {
  return { value, source: { kind: "default" } };
}
