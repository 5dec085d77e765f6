import { parseIssuedKey } from "../core/issued-key.ts";
import type { Secret } from "../core/secret.ts";
import type { Deps } from "./deps.ts";
import { judgeableRow, judgeKey, judgeUnknown } from "./judge-key.ts";
import type { Verification } from "./judge-key.ts";
import { recordAudit } from "./record-audit.ts";

type VerifyDeps = Pick<Deps, "store" | "keyring" | "clock" | "random" | "caller" | "tool">;

/** Judges a presented issued key; audited either way. The same answer, after the same work, for every unknown key. */
export async function verifyKey(
  deps: VerifyDeps,
  input: { presented: Secret; scopes: string[] },
): Promise<Verification> {
  const startedAt = deps.clock.now();
  const judged = await judge(deps, input);
  const { key, version } = judged;
  const used =
    judged.valid && key !== null && version !== null ? { keyId: key.id, version: version.version } : null;
  await deps.store.transaction(async (tx) => {
    if (used !== null) await tx.touchVersion({ ...used, lastUsedAt: startedAt });
    await recordAudit(tx, deps, {
      operation: "key.verify",
      outcome: judged.valid ? "success" : "denied",
      sensitivity: judged.valid ? "MEDIUM" : "HIGH",
      key,
      after: { version: version?.version ?? null, reason: judged.reason },
      startedAt,
    });
  });
  return judged;
}

async function judge(
  deps: VerifyDeps,
  input: { presented: Secret; scopes: string[] },
): Promise<Verification> {
  const current = await deps.keyring.current();
  const parts = parseIssuedKey(input.presented);
  const row = parts === null ? null : await judgeableRow(deps, parts.publicId);
  if (parts === null || row === null) return judgeUnknown(current.keys.verifierKey);
  return judgeKey(row, { parts, scopes: input.scopes }, deps.clock.now());
}
