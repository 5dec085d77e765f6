import { dirname, join, relative } from "node:path";
import { realpath } from "node:fs/promises";
import type { ListedProfile, PrivateFiles } from "../app/ports.ts";
import { KeyctlError } from "../core/errors.ts";
import { assertName } from "../core/key-name.ts";
import { objectField, parseObject } from "./fields.ts";
import type { JsonObject } from "./fields.ts";
import { findPlaces } from "./places.ts";
import { loadProjectFile } from "./project-file.ts";
import { readConfigFile } from "./read-file.ts";
import {
  authOf,
  chooseProfile,
  defaultEnvironment,
  defaultProfile,
  defaultTenant,
  defaultUrls,
  fromCall,
  namingOf,
  unknownProfile,
} from "./settings.ts";
import type { SettingsRequest } from "./settings.ts";
import { parseStoreUrl, parseVaultUrl } from "./urls.ts";
import { loadUserFile, profileFields } from "./user-file.ts";
import type { Profile } from "./user-file.ts";

/** What `init --profile` asks for: where and who by the flags of every verb, the rest by its own. */
export interface ProfileRequest extends SettingsRequest {
  name: string;
  naming: string | null;
}

export interface PlannedProfile {
  name: string;
  /** The user's file. */
  path: string;
  profile: Profile;
  /** False when the file has it already, or when it needs no entry. */
  isNew: boolean;
}

/** How the user's file is changed. */
export interface ProfileWriter {
  files: Pick<PrivateFiles, "writePrivate">;
  /** Runs the work while no other process changes the file at this path. */
  exclusively<T>(path: string, work: () => Promise<T>): Promise<T>;
}

/**
 * The profile as `init` would write it, or as it stands in the user's file. A new one takes what this call says, by flag or
 * environment, and has a store and a vault of its own where nothing is said. `conflict`, naming the fields, when the file has
 * the profile and a flag says something else.
 */
export async function planProfile(request: ProfileRequest): Promise<PlannedProfile> {
  const { name } = request;
  assertName("the profile", name);
  const places = findPlaces(request);
  const path = places.configFile;
  const known = (await loadUserFile(path)).profiles.get(name);
  const flags = valuesOf({ ...request.flags, naming: request.naming }, request.cwd, request);
  if (known !== undefined) {
    assertSame(request, { path, known, flags });
    return { name, path, profile: known, isNew: false };
  }
  const said = valuesOf({ ...saidBy(request), naming: request.naming }, request.cwd, request);
  if (name === defaultProfile) {
    return { name, path, profile: said, isNew: profileFields.some((field) => said[field] !== null) };
  }
  const folder = join(places.data, "profiles", name);
  // In one folder with the file, so that the folder can be moved.
  const shown = places.source === "KEYCTL_HOME" ? relative(dirname(path), folder) : folder;
  const store = said.store ?? `sqlite:${join(shown, "store.db")}`;
  const vault = said.vault ?? `embedded:${join(shown, "vault.db")}`;
  return { name, path, profile: { ...said, store, vault }, isNew: true };
}

/** Writes what `planProfile` answers, unless nothing is new. Of two at once the second sees what the first wrote. */
export async function addProfile(request: ProfileRequest, writer: ProfileWriter): Promise<PlannedProfile> {
  const before = await planProfile(request);
  // Who needs no change needs no permission to write either.
  if (!before.isNew) return before;
  const { path } = before;
  return await writer.exclusively(path, async () => {
    const planned = await planProfile(request);
    if (!planned.isNew) return planned;
    const entry = Object.fromEntries(
      profileFields.flatMap((field) => {
        const value = planned.profile[field];
        return value === null ? [] : [[field, value]];
      }),
    );
    await change(writer, path, (object) => ({
      ...object,
      profiles: { ...objectField(object, "profiles", path), [planned.name]: entry },
    }));
    return planned;
  });
}

/**
 * Makes a profile the one that is used when nothing stronger says which. False when it is that already; `not-found` for one
 * that the file does not have.
 */
export async function useProfile(
  request: SettingsRequest & { name: string; dryRun: boolean },
  writer: ProfileWriter,
): Promise<boolean> {
  const { name } = request;
  const path = findPlaces(request).configFile;
  const isUsed = async (): Promise<boolean> => {
    const user = await loadUserFile(path);
    if (name !== defaultProfile && !user.profiles.has(name)) throw unknownProfile(name, user, null);
    return (user.profile ?? defaultProfile) === name;
  };
  if (await isUsed()) return false;
  if (request.dryRun) return true;
  return await writer.exclusively(path, async () => {
    if (await isUsed()) return false;
    await change(writer, path, (object) => ({ ...object, profile: name }));
    return true;
  });
}

/** Every profile of the user's file, and `default`, by name. `usage` for one whose values are not understood. */
export async function listProfiles(request: SettingsRequest): Promise<ListedProfile[]> {
  const places = findPlaces(request);
  const user = await loadUserFile(places.configFile);
  const current = chooseProfile(request, user, await loadProjectFile(request.cwd)).value;
  const names = [...new Set([defaultProfile, ...user.profiles.keys()])].toSorted();
  return names.map((name) => {
    const found = user.profiles.get(name);
    const own = found === undefined ? noProfile : valuesOf(found, dirname(user.path), request);
    const urls = defaultUrls(places);
    return {
      name,
      isCurrent: name === current,
      store: own.store ?? urls.store,
      vault: own.vault ?? urls.vault,
      auth: own.auth,
      tenant: own.tenant ?? defaultTenant,
      env: own.env ?? defaultEnvironment,
      naming: own.naming ?? "off",
    };
  });
}

const noProfile: Profile = { store: null, vault: null, auth: null, tenant: null, env: null, naming: null };

/** The values checked, and in the form in which they can be compared: URLs are absolute. */
function valuesOf(given: Profile, folder: string, request: SettingsRequest): Profile {
  const context = { folder, homeDirectory: request.homeDirectory };
  const { store, vault, auth, tenant, env, naming } = given;
  if (tenant !== null) assertName("the tenant", tenant);
  if (env !== null) assertName("the environment", env);
  const said = (value: string | null) =>
    value === null ? null : ({ value, source: { kind: "default" } } as const);
  return {
    store: store === null ? null : parseStoreUrl(store, context).url,
    vault: vault === null ? null : parseVaultUrl(vault, context).url,
    auth: authOf(said(auth)).value,
    tenant,
    env,
    naming: naming === null ? null : namingOf(said(naming)).value,
  };
}

function saidBy(request: SettingsRequest): Omit<Profile, "naming"> {
  const said = (name: keyof Omit<Profile, "naming">): string | null => fromCall(request, name)?.value ?? null;
  return {
    store: said("store"),
    vault: said("vault"),
    auth: said("auth"),
    tenant: said("tenant"),
    env: said("env"),
  };
}

function assertSame(
  request: ProfileRequest,
  { path, known, flags }: { path: string; known: Profile; flags: Profile },
): void {
  const own = valuesOf(known, dirname(path), request);
  const other = profileFields.filter((field) => flags[field] !== null && flags[field] !== own[field]);
  if (other.length === 0) return;
  throw new KeyctlError(
    "conflict",
    `${path} has profile ${request.name} with another ${other.join(", another ")}`,
    {
      hint: `leave out ${other.map((field) => `--${field}`).join(" and ")} to use it as it is, edit the file, or choose another name`,
      retryable: false,
    },
  );
}

/** The file with one change; everything else in it stays. A link to the file stays a link. */
async function change(
  { files }: ProfileWriter,
  path: string,
  make: (object: JsonObject) => JsonObject,
): Promise<void> {
  const text = await readConfigFile(path);
  const next = make(text === null ? {} : parseObject(text, path));
  const place = text === null ? path : await realpath(path);
  await files.writePrivate(place, new TextEncoder().encode(`${JSON.stringify(next, null, 2)}\n`));
}
