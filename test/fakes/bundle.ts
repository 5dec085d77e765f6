import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll } from "vitest";

const folders: string[] = [];
// A test runner's worker is ended without an exit event: the file that imports this cleans up.
afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/**
 * A program of the tests as one bundle, made as `npm run build` makes the published one; answers the path of what to run.
 * A process that loads every source file and package file by itself takes several times as long to start.
 */
export async function bundled(entry: URL): Promise<string> {
  // Below node_modules, so that the packages that stay outside the bundle are found.
  const cache = fileURLToPath(new URL("../../node_modules/.cache", import.meta.url));
  mkdirSync(cache, { recursive: true });
  const outdir = mkdtempSync(join(cache, "keyctl-test-"));
  folders.push(outdir);
  await build({
    entryPoints: [fileURLToPath(entry)],
    outdir,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    external: ["better-sqlite3", "pg-native"],
    banner: {
      js: "import { createRequire as keyctlRequire } from 'node:module'; const require = keyctlRequire(import.meta.url);",
    },
    logLevel: "error",
  });
  // Another user has to read it.
  chmodSync(outdir, 0o755);
  return join(outdir, basename(entry.pathname).replace(/\.ts$/, ".js"));
}
