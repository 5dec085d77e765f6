import { createHash } from "node:crypto";
import { canonicalJson } from "../core/canonical-json.ts";
import type { JsonValue } from "../core/canonical-json.ts";

/** What `--dry-run` prints and `--confirm` takes: SHA-256 over what would be done and to what, 16 hex digits. */
export function hashPlan(plan: JsonValue): string {
  return createHash("sha256").update(canonicalJson(plan)).digest("hex").slice(0, 16);
}
