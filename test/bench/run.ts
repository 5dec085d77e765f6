import { availableParallelism, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { audit } from "./audit.ts";
import { bulkRevoke } from "./bulk-revoke.ts";
import { leakScan } from "./leak-scan.ts";
import { library } from "./library.ts";
import { listPage } from "./list-page.ts";
import { masking } from "./masking.ts";
import { createBench } from "./report.ts";
import type { Bench } from "./report.ts";
import { startup } from "./startup.ts";
import { status } from "./status.ts";
import { verbs } from "./verbs.ts";

const subjects: Readonly<Record<string, (bench: Bench) => Promise<void>>> = {
  startup,
  verbs,
  library,
  list: listPage,
  status,
  "bulk-revoke": bulkRevoke,
  audit,
  "leak-scan": leakScan,
  masking,
};

const usage = `npm run bench [-- NAME…] [-- --scale N]
  NAME   ${Object.keys(subjects).join(", ")}; all by default
  N      1 by default; 0.01 is a look in seconds`;

async function run(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { scale: { type: "string", default: "1" }, help: { type: "boolean", default: false } },
  });
  const scale = Number(values.scale);
  const unknown = positionals.filter((name) => !Object.hasOwn(subjects, name));
  if (values.help || unknown.length > 0 || !(scale > 0)) {
    console.error(usage);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const bench = createBench(scale);
  const startedAt = performance.now();
  const load = loadavg()[0]?.toFixed(1) ?? "unknown";
  const { versions, platform, arch } = process;
  console.log(
    `Node ${versions.node}, ${platform}/${arch}, ${availableParallelism()} cores, load before ${load}, scale ${scale}`,
  );
  for (const [name, subject] of Object.entries(subjects)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    console.log(`\n${name}`);
    await subject(bench);
  }
  console.log(`\n${((performance.now() - startedAt) / 1_000).toFixed(0)} s in all`);
}

await run();
