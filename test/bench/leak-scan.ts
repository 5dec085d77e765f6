import { randomBytes } from "node:crypto";
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { scanForLeaks } from "../../src/app/scan-for-leaks.ts";
import { walkFiles } from "../../src/files/walk.ts";
import { exampleOf } from "../../src/leak/example.ts";
import { leakRules } from "../../src/leak/rules/index.ts";
import { assertBuilt, peakMemoryMiB } from "./child.ts";
import { makeBenchHome } from "./home.ts";
import { interleaved } from "./measure.ts";
import { formatNumber } from "./report.ts";
import type { Bench } from "./report.ts";

const mebibyte = 1_048_576;
const leaksExit = 20;

/** A first figure of the scanner's speed on a made-up CI log with a secret in each MiB. */
export async function leakScan(bench: Bench): Promise<void> {
  assertBuilt();
  const home = await makeBenchHome();
  try {
    const size = bench.sized(128, 4);
    const path = join(home.path, "job.log");
    const half = join(home.path, "half.log");
    writeLog(path, size);
    writeLog(half, Math.ceil(size / 2));
    const deps = {
      clock: { now: () => Date.now() },
      managed: null,
      fingerprint: () => null,
      warn: () => undefined,
    };
    let found = 0;
    const taken = await interleaved(3, {
      floor: () => readOnly(path),
      scan: async () => {
        const { summary } = await scanForLeaks({ ...deps, sources: walkFiles([path]) });
        found = summary.leaks;
      },
    });
    const rate = (ms: number): number => (size / ms) * 1_000;
    bench.figure({
      what: `leak-scan, a log of ${formatNumber(size)} MiB, ${formatNumber(found)} secrets`,
      value: rate(taken.scan),
      unit: "MiB/s",
      peer: { what: "read only", value: rate(taken.floor) },
    });
    bench.figure({
      what: "leak-scan, the process, peak memory",
      value: peakMemoryMiB(home.path, ["leak-scan", path], [leaksExit]),
      unit: "MiB",
      peer: { what: "a log half as long", value: peakMemoryMiB(home.path, ["leak-scan", half], [leaksExit]) },
    });
  } finally {
    home.remove();
  }
}

/** Lines as build tools print them, with times, colours, hashes and addresses; no two MiB are alike. */
function writeLog(path: string, mebibytes: number): void {
  const file = openSync(path, "w", 0o600);
  for (let part = 0; part < mebibytes; part += 1) {
    const lines: string[] = [secretLine(part)];
    let length = 0;
    while (length < mebibyte) {
      const line = logLine(part, lines.length);
      lines.push(line);
      length += line.length;
    }
    writeSync(file, lines.join("").slice(0, mebibyte - 1));
    writeSync(file, "\n");
  }
  closeSync(file);
}

const forms: readonly ((hex: string, line: number) => string)[] = [
  (_hex, line) =>
    `\u001b[32m✓\u001b[0m src/app/module-${line % 97}.test.ts (${line % 50} tests) ${line % 900}ms`,
  (hex) => `npm http fetch GET 200 https://registry.example.org/pkg/-/pkg-1.2.3.tgz#${hex} 31ms (cache hit)`,
  (hex) => `sha256:${hex}${hex}: Pull complete`,
  (_hex, line) => `##[group]Run step ${line % 40} with token=*** and key: \${{ secrets.DEPLOY_KEY }}`,
  (hex, line) =>
    `{"level":"info","requestId":"${hex.slice(0, 32)}","path":"/v1/items/${line}","status":200,"ms":${line % 70}}`,
  (_hex, line) => `    at Object.run (/home/build/project/src/worker/queue.ts:${line % 400}:17)`,
];

function logLine(part: number, line: number): string {
  const second = String(line % 60).padStart(2, "0");
  const form = forms[line % forms.length];
  const hex = (part * 2_654_435_761 + line * 40_503).toString(16).padStart(16, "0").repeat(2);
  return `2026-11-21T08:15:${second}.1234567Z ${form?.(hex, line) ?? ""}\n`;
}

function secretLine(part: number): string {
  const rule = leakRules[part % leakRules.length];
  if (rule === undefined) throw new Error("there are no rules");
  return `${exampleOf(rule, (count) => randomBytes(count)).line}\n`;
}

function readOnly(path: string): void {
  const buffer = new Uint8Array(262_144);
  const file = openSync(path, "r");
  while (readSync(file, buffer, 0, buffer.length, null) > 0);
  closeSync(file);
}
