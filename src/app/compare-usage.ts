import type { AuditEntry } from "../audit/entry.ts";
import { usageRoot } from "../audit/usage.ts";
import { isKeyctlError } from "../core/errors.ts";
import type { StoreReader, UsageEvent } from "./ports.ts";

/** How the log calls an entry that counts validations. */
export const usageBatch = "usage.batch";

/** What an entry says of its rows; it is compared when the log was read. */
export interface CountedBatch {
  seq: number;
  rows: unknown;
  root: unknown;
}

/** The batch that an entry counts; null for every other entry. */
export function countedBatch({ seq, operation, after }: AuditEntry): CountedBatch | null {
  if (operation !== usageBatch || typeof after !== "object" || after === null || !("root" in after))
    return null;
  return { seq, rows: after["rows"], root: after["root"] };
}

/** Whether the validations in the store are those that the log counted; one sentence for each batch that is not. */
export async function compareUsage(
  store: StoreReader,
  log: string,
  batches: readonly CountedBatch[],
): Promise<string[]> {
  const found: string[] = [];
  for (const { seq, rows, root } of batches) {
    const events = await store.usageEvents({ log, seq });
    const isSame = events.length === rows && rootOf(events) === root;
    if (!isSame) found.push(`the validations that entry ${seq} counted are not the ones in the store`);
  }
  return found;
}

/** Null for rows that keyctl never writes. */
function rootOf(events: readonly UsageEvent[]): string | null {
  try {
    return Buffer.from(usageRoot(events)).toString("hex");
  } catch (error) {
    if (!isKeyctlError(error)) throw error;
    return null;
  }
}
