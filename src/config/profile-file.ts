import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { PrivateFiles } from "../app/ports.ts";
import { KeyctlError } from "../core/errors.ts";
import { assertName } from "../core/key-name.ts";
import { loadUserFile, profileFields } from "./user-file.ts";
import type { Profile, UserFile } from "./user-file.ts";

export interface SaveProfile {
  /** The user's `config.json`. */
  path: string;
  name: string;
  profile: Profile;
  files: Pick<PrivateFiles, "writePrivate">;
}

/**
 * Adds a profile to the user's file, atomically and 0600; the first one becomes the one that is used. Answers false when it
 * was there with the same values; another of that name is `conflict`.
 */
export async function saveProfile(save: SaveProfile): Promise<boolean> {
  assertName("the profile", save.name);
  const file = await loadUserFile(save.path);
  const known = file.profiles.get(save.name);
  if (known !== undefined) {
    if (profileFields.every((field) => known[field] === save.profile[field])) return false;
    throw new KeyctlError("conflict", `${save.path} has another profile ${save.name}`, {
      hint: "choose another name, or edit the file",
      retryable: false,
    });
  }
  const next: UserFile = {
    ...file,
    profile: file.profile ?? (file.profiles.size === 0 ? save.name : null),
    profiles: new Map([...file.profiles, [save.name, save.profile]]),
  };
  await mkdir(dirname(save.path), { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw new KeyctlError("unavailable", `${dirname(save.path)} cannot be made`, {
      hint: "check its permissions",
      cause: error,
    });
  });
  await save.files.writePrivate(save.path, new TextEncoder().encode(formatUserFile(next)));
  return true;
}

/** The file's text: two blanks of indentation, absent values left out. */
export function formatUserFile(file: Pick<UserFile, "profile" | "profiles">): string {
  const profiles = [...file.profiles].map(([name, profile]) => [
    name,
    Object.fromEntries(
      profileFields.flatMap((field) => (profile[field] === null ? [] : [[field, profile[field]]])),
    ),
  ]);
  const whole = {
    ...(file.profile === null ? {} : { profile: file.profile }),
    profiles: Object.fromEntries(profiles),
  };
  return `${JSON.stringify(whole, null, 2)}\n`;
}
