import { rmSync } from "node:fs";
import { onTestFinished } from "vitest";
import { Secret } from "../../src/core/secret.ts";
import { placeIn, temporaryFolder } from "./vault-place.ts";
import type { VaultPlace } from "./vault-place.ts";

/** An empty place, removed when the test ends. */
export function newPlace(): VaultPlace {
  const folder = temporaryFolder();
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return placeIn(folder);
}

export function text(value: string): Secret {
  return Secret.fromUtf8(value);
}

/** What `toMatchObject` wants of a refusal. */
export function failsWith(code: string, details: Record<string, unknown> = {}): Record<string, unknown> {
  return { name: "KeyctlError", code, ...details };
}
