// Writes a manual page for every page of help below dist/man; run by `npm run build`.
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import packageJson from "../../package.json" with { type: "json" };
import { allPages } from "../../src/cli/help-pages.ts";
import { formatMan, manName } from "../../src/cli/man.ts";
import { commands } from "../../src/cli/tree.ts";

for (const page of allPages(commands)) {
  const { name, section } = manName(page);
  const folder = fileURLToPath(new URL(`../../dist/man/man${section}`, import.meta.url));
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/${name}.${section}`, formatMan(page, packageJson.version));
}
