import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Suites that need more than npm (root, a mount) or more time than `npm test` has. */
export default defineConfig({
  root: fileURLToPath(new URL("../..", import.meta.url)),
  test: { include: ["test/slow/**/*.test.ts"], testTimeout: 300_000, hookTimeout: 60_000 },
});
