import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { keyKinds } from "../../src/core/model.ts";
import type { KeyKind, KeyRecord } from "../../src/core/model.ts";
import { makeHome } from "../fakes/home.ts";
import type { Home } from "../fakes/home.ts";
import type { KnownValues } from "./invariants.ts";

/** What every version after the second holds, where a value is given. */
export const newValue = ["a", "brand", "new", "value"].join(" ");

/** Flags that `create` needs for the kind; it and `rotate` also need `source`. */
export const specs: Readonly<Record<KeyKind, readonly string[]>> = {
  issued: [],
  provider: ["--provider", "openai"],
  secret: ["--type", "db-credential"],
  encryption: ["--type", "PHI_DATA"],
};

const valueFile = "value.txt";

/** Where `create` and `rotate` read a value of the kind from. */
export function source(kind: KeyKind): string[] {
  return kind === "provider" || kind === "secret" ? ["--from-file", valueFile] : [];
}

/** What a command line in this process finds at `source`; a process of its own finds it in the home. */
export const givenFiles: Record<string, string> = { [valueFile]: newValue };

/** 32 bytes, so that one of them could also pass for a root secret. */
function oldValue(version: number): string {
  return `the value of version ${version}`.padEnd(32, ".");
}

/** A home with one key of each kind, named after it: version 1 rotated and in its grace, version 2 active. */
export interface FourKeys {
  home: Home;
  /** The issued key's two secrets, in the order of their versions. */
  issued: string[];
  /** Values of those versions, and of later ones that were given `newValue`. */
  known: KnownValues;
}

/** Makes the home; it takes a second, so copy it for each test. */
export async function makeFourKeys(): Promise<FourKeys> {
  const home = await makeHome();
  const issued: string[] = [];
  for (const kind of keyKinds) {
    for (const version of [1, 2]) {
      const verb =
        version === 1 ? ["create", kind, "--kind", kind, ...specs[kind]] : ["rotate", kind, "--yes"];
      const out = await home.ok([...verb, ...source(kind)], { files: { [valueFile]: oldValue(version) } });
      if (kind === "issued") issued.push(out.trim());
    }
  }
  writeFileSync(join(home.path, valueFile), newValue);
  const known = (key: KeyRecord, version: number): string | undefined => {
    const isOld = version <= 2 && (keyKinds as readonly string[]).includes(key.name);
    if (key.kind === "encryption") return undefined;
    if (key.kind === "issued") return isOld ? issued[version - 1] : undefined;
    return isOld ? oldValue(version) : newValue;
  };
  return { home, issued, known };
}

/** The same home at another place, with the same clock. */
export async function copyOf(home: Home): Promise<Home> {
  const copy = await makeHome({ init: false });
  copy.now = home.now;
  cpSync(home.path, copy.path, { recursive: true });
  return copy;
}
