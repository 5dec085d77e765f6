import { leakRules } from "./rules/index.ts";
import { Scanner } from "./scanner.ts";

/** Free text is short: a small block keeps the buffer small. */
const blockBytes = 4096;
let scanner: Scanner | null = null;

/**
 * The text with every secret that a rule, or the form of our own keys, finds in it replaced by `[redacted:RULE]`. For free text before it
 * is kept or printed. What no rule knows (a password in words) stays.
 */
export function redactText(text: string): string {
  scanner ??= new Scanner({ rules: leakRules, now: null, blockBytes });
  const bytes = Buffer.from(text, "utf8");
  scanner.start();
  const found = [...scanner.write(bytes), ...scanner.finish()];
  if (found.length === 0) return text;
  const parts: string[] = [];
  let at = 0;
  for (const match of found) {
    parts.push(bytes.toString("utf8", at, match.offset), `[redacted:${match.ruleId}]`);
    at = match.endOffset;
  }
  parts.push(bytes.toString("utf8", at));
  return parts.join("");
}
