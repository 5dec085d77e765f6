import { createHash } from "node:crypto";
import { formatIssuedKey } from "../../src/core/issued-key.ts";
import type { RawMatch } from "../../src/leak/finding.ts";
import type { RandomBytes } from "../../src/leak/example.ts";
import type { LeakRule } from "../../src/leak/rule.ts";
import { leakRules } from "../../src/leak/rules/index.ts";
import { Scanner } from "../../src/leak/scanner.ts";

/** Repeatable "random" bytes: each call gives others. */
export function seeded(seed: string): RandomBytes {
  let calls = 0;
  return (count) => {
    const out = new Uint8Array(count);
    for (let at = 0; at < count; at += 32) {
      const block = createHash("sha256").update(`${seed}/${calls}/${at}`).digest();
      out.set(block.subarray(0, Math.min(32, count - at)), at);
    }
    calls += 1;
    return out;
  };
}

export interface Cut {
  chunkBytes?: number;
  blockBytes?: number;
  now?: number | null;
  rules?: readonly LeakRule[];
}

let shared: Scanner | null = null;

/** All that the scanner finds in a text, cut into chunks as asked. */
export function scanText(text: string | Uint8Array, cut: Cut = {}): RawMatch[] {
  const bytes = typeof text === "string" ? Buffer.from(text, "utf8") : text;
  const plain = cut.blockBytes === undefined && cut.rules === undefined && cut.now === undefined;
  shared ??= new Scanner({ rules: leakRules, now: null });
  const scanner = plain
    ? shared
    : new Scanner({
        rules: cut.rules ?? leakRules,
        now: cut.now ?? null,
        ...(cut.blockBytes === undefined ? {} : { blockBytes: cut.blockBytes }),
      });
  scanner.start();
  const found: RawMatch[] = [];
  const step = cut.chunkBytes ?? bytes.length + 1;
  for (let at = 0; at < bytes.length; at += step) found.push(...scanner.write(bytes.subarray(at, at + step)));
  return [...found, ...scanner.finish()];
}

/** The rule that is called so. */
export function ruleOf(id: string): LeakRule {
  const rule = leakRules.find((candidate) => candidate.id === id);
  if (rule === undefined) throw new Error(`no rule ${id}`);
  return rule;
}

/** A valid key in the form that we issue. */
export function ownKey(seed: string, prefix = "kc_live"): string {
  const random = seeded(seed);
  const key = formatIssuedKey({ prefix, id10: random(10), secret24: random(24) });
  return Buffer.from(key.reveal()).toString("latin1");
}
