import { assertMay, mayDo, reachOf } from "../core/access.ts";
import { parseIssuedKey } from "../core/issued-key.ts";
import type { Secret } from "../core/secret.ts";
import { attempted } from "./attempt.ts";
import type { Deps } from "./deps.ts";
import { standing } from "./find-key.ts";
import { invalid, judgeableRow, judgeKey, judgeUnknown } from "./judge-key.ts";
import type { Verification } from "./judge-key.ts";
import { recordAudit } from "./record-audit.ts";

type VerifyDeps = Pick<Deps, "store" | "keyring" | "clock" | "random" | "caller" | "tool" | "warn">;

/**
 * Judges a presented issued key of the caller's tenant; audited either way. The same answer, after the same work, for every
 * unknown key, for one of another tenant, and for one that the caller's role does not reach: of that the log tells more.
 * `forbidden` to a role that may see no keys at all.
 */
export async function verifyKey(
  deps: VerifyDeps,
  input: { presented: Secret; scopes: string[] },
): Promise<Verification> {
  const startedAt = deps.clock.now();
  const stands = standing(deps.caller);
  await attempted(deps, { operation: "key.verify" }, () => {
    if (reachOf(stands.role, "read") === "none") assertMay(stands, "read");
  });
  const judged = await judge(deps, input);
  const { key, version } = judged;
  const isWithinReach = key === null || mayDo(stands, "read", key.owner);
  const used =
    judged.valid && isWithinReach && key !== null && version !== null
      ? { keyId: key.id, version: version.version }
      : null;
  await deps.store.transaction(async (tx) => {
    if (used !== null) await tx.touchVersion({ ...used, lastUsedAt: startedAt });
    await recordAudit(tx, deps, {
      operation: "key.verify",
      outcome: used === null ? "denied" : "success",
      sensitivity: !isWithinReach ? "CRITICAL" : judged.valid ? "MEDIUM" : "HIGH",
      key,
      after: { version: version?.version ?? null, reason: isWithinReach ? judged.reason : "forbidden" },
      startedAt,
    });
  });
  return isWithinReach ? judged : invalid;
}

async function judge(
  deps: VerifyDeps,
  input: { presented: Secret; scopes: string[] },
): Promise<Verification> {
  const current = await deps.keyring.current();
  const parts = parseIssuedKey(input.presented);
  const row = parts === null ? null : await judgeableRow(deps, parts.publicId);
  if (parts === null || row?.key.tenantId !== deps.caller.tenant.id)
    return judgeUnknown(current.keys.verifierKey);
  return judgeKey(row, { parts, scopes: input.scopes }, deps.clock.now());
}
