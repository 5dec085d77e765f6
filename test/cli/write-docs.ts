// Writes the generated pages of docs/; run by `npm run docs`.
import { writeFileSync } from "node:fs";
import { generatedPages } from "./generated-pages.ts";

for (const { path, text } of generatedPages()) writeFileSync(path, text);
