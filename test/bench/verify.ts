import { createHmac } from "node:crypto";
import { rowMacMatches } from "../../src/app/mac-versions.ts";
import type { KeyWithVersion } from "../../src/app/ports.ts";
import type { Session } from "../../src/cli/context.ts";
import { digestMatches, digestOf } from "../../src/core/digest.ts";
import { parseIssuedKey } from "../../src/core/issued-key.ts";
import { judgeVersion } from "../../src/core/lifecycle.ts";
import type { Secret } from "../../src/core/secret.ts";
import { uuidBytes } from "../../src/core/uuid.ts";
import { makeBenchHome } from "./home.ts";
import { interleaved } from "./measure.ts";
import { newIssuedKey } from "./new-key.ts";
import type { Bench } from "./report.ts";

/**
 * What a back end's library does for each request: with the key's row in its cache, and with the row read from SQLite.
 * Nothing is written: there a validation becomes a usage event, which is counted later. The floor is the one HMAC.
 */
export async function verify(bench: Bench): Promise<void> {
  const home = await makeBenchHome();
  const session = await home.session();
  try {
    const { secret } = await newIssuedKey(session, "payments");
    if (secret === null) throw new Error("the key was not handed out");
    const publicId = parseIssuedKey(secret)?.publicId ?? "";
    const row = await session.store.versionByPublicId(publicId);
    if (row === null) throw new Error("the key was not written");
    const { verifierKey } = (await session.keyring.current()).keys;
    const count = bench.sized(20_000, 1_000);
    const input = new Uint8Array(80);
    const taken = await interleaved(7, {
      bare: () => times(count, () => createHmac("sha256", verifierKey).update(input).digest()),
      cached: () => times(count, () => assertAccepted(isAccepted(secret, row, verifierKey))),
      stored: async () => {
        for (let done = 0; done < count; done += 1) {
          assertAccepted(await isAcceptedByStore(session, secret, verifierKey));
        }
      },
    });
    const rate = (ms: number): number => (count / ms) * 1_000;
    const peer = { what: "one HMAC-SHA-256", value: rate(taken.bare) };
    bench.figure({
      what: "verify, row cached",
      value: rate(taken.cached),
      unit: "/s",
      peer,
      goal: "≥ 50,000/s",
    });
    bench.figure({
      what: "verify, row from SQLite",
      value: rate(taken.stored),
      unit: "/s",
      peer,
      goal: "≥ 5,000/s",
    });
  } finally {
    await session.close();
    home.remove();
  }
}

/** As `app/verify-key.ts` judges a row whose MAC was checked when it was read. */
function isAccepted(presented: Secret, { key, version }: KeyWithVersion, verifierKey: Uint8Array): boolean {
  const parts = parseIssuedKey(presented);
  if (parts === null || parts.prefix !== key.prefix) return false;
  const { prefix, id10, secret24 } = parts;
  const digest = digestOf(verifierKey, { tenant16: uuidBytes(key.tenantId), prefix, id10, secret24 });
  return digestMatches(digest, version.digest) && judgeVersion(key, version, Date.now()) === "accepted";
}

async function isAcceptedByStore(
  session: Session,
  presented: Secret,
  verifierKey: Uint8Array,
): Promise<boolean> {
  const parts = parseIssuedKey(presented);
  const row = parts === null ? null : await session.store.versionByPublicId(parts.publicId);
  if (row === null || !isAccepted(presented, row, verifierKey)) return false;
  return await rowMacMatches(session.keyring, row.key, row.version);
}

function assertAccepted(accepted: boolean): void {
  if (!accepted) throw new Error("the key is not accepted");
}

function times(count: number, work: () => unknown): void {
  for (let done = 0; done < count; done += 1) work();
}
