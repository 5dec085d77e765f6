import { dirname, isAbsolute, join, resolve } from "node:path";
import { KeyctlError } from "../core/errors.ts";
import { assertFields, objectField, parseObject, textField } from "./fields.ts";
import { readConfigFile } from "./read-file.ts";

/** What a project may choose for whoever works in it. */
export interface ProjectFile {
  path: string;
  profile: string | null;
  tenant: string | null;
  env: string | null;
  /** Absolute. */
  leakScanPaths: string[];
}

export const projectFileName = "keyctl.json";

const projectFields = ["profile", "tenant", "env", "leakScan"];
/** Fields of the user's file: a cloned repository must not choose where secrets go, what is run, or what is let through. */
const userOnly = new Set(["store", "vault", "auth", "hooks", "profiles", "recovery", "naming"]);

/** The nearest `keyctl.json` in `cwd` or above it; null when there is none. */
export async function loadProjectFile(cwd: string): Promise<ProjectFile | null> {
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    const path = join(folder, projectFileName);
    const text = await readConfigFile(path);
    if (text !== null) return parseProjectFile(text, path);
    if (dirname(folder) === folder) return null;
  }
}

/** As `loadProjectFile`, of a text. */
export function parseProjectFile(text: string, path: string): ProjectFile {
  const object = parseObject(text, path);
  const foreign = Object.keys(object).find((field) => userOnly.has(field));
  if (foreign !== undefined) {
    throw new KeyctlError(
      "usage",
      `${path} sets ${foreign}, which a project's file must not: a cloned repository does not decide that`,
      {
        hint: "put it into a profile of your own config.json",
      },
    );
  }
  assertFields(object, projectFields, { path, within: null });
  const field = (name: string): string | null => textField(object, name, { path, within: null });
  return {
    path,
    profile: field("profile"),
    tenant: field("tenant"),
    env: field("env"),
    leakScanPaths: scanPaths(object, path),
  };
}

function scanPaths(object: Record<string, unknown>, path: string): string[] {
  const leakScan = objectField(object, "leakScan", path);
  if (leakScan === null) return [];
  assertFields(leakScan, ["paths"], { path, within: "leakScan" });
  const paths = leakScan["paths"] ?? [];
  if (!Array.isArray(paths)) throw new KeyctlError("usage", `${path}: leakScan.paths is not a list`);
  return paths.map((each: unknown) => {
    if (typeof each !== "string" || each === "" || isAbsolute(each) || each.split(/[/\\]/).includes("..")) {
      throw new KeyctlError("usage", `${path}: leakScan.paths names something outside the project`, {
        hint: "paths are relative to the file and stay below it",
      });
    }
    return join(dirname(path), each);
  });
}
