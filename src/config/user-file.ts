import { KeyctlError } from "../core/errors.ts";
import { assertName } from "../core/key-name.ts";
import { assertFields, isObject, objectField, parseObject, textField } from "./fields.ts";
import type { JsonObject } from "./fields.ts";
import { readConfigFile } from "./read-file.ts";

/** One set of settings; what it leaves out comes from elsewhere. */
export interface Profile {
  store: string | null;
  vault: string | null;
  auth: string | null;
  tenant: string | null;
  env: string | null;
  naming: string | null;
}

export const profileFields = ["store", "vault", "auth", "tenant", "env", "naming"] as const;

/** The user's own `config.json`: which profile, and what each is. */
export interface UserFile {
  path: string;
  /** The profile to use when nothing else says which. */
  profile: string | null;
  profiles: ReadonlyMap<string, Profile>;
}

const userFields = ["profile", "profiles"];

/** Reads the user's file; one that is not there has no profiles. `usage` for what is not understood, `unavailable` when unreadable. */
export async function loadUserFile(path: string): Promise<UserFile> {
  const text = await readConfigFile(path);
  return text === null ? { path, profile: null, profiles: new Map() } : parseUserFile(text, path);
}

/** As `loadUserFile`, of a text. */
export function parseUserFile(text: string, path: string): UserFile {
  const object = parseObject(text, path);
  assertFields(object, userFields, { path, within: null });
  const profiles = new Map<string, Profile>();
  for (const [name, value] of Object.entries(objectField(object, "profiles", path) ?? {})) {
    assertProfileName(name, path);
    if (!isObject(value)) throw new KeyctlError("usage", `${path}: profile ${name} is not an object`);
    profiles.set(name, profileOf(value, name, path));
  }
  return { path, profile: textField(object, "profile", { path, within: null }), profiles };
}

function profileOf(object: JsonObject, name: string, path: string): Profile {
  const place = { path, within: `profile ${name}` };
  assertFields(object, profileFields, place);
  const field = (known: (typeof profileFields)[number]): string | null => textField(object, known, place);
  return {
    store: field("store"),
    vault: field("vault"),
    auth: field("auth"),
    tenant: field("tenant"),
    env: field("env"),
    naming: field("naming"),
  };
}

function assertProfileName(name: string, path: string): void {
  assertName(`a profile's name in ${path}`, name);
}
