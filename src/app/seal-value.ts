import { openEnvelope, parseEnvelopeHeader, sealEnvelope } from "../core/envelope.ts";
import type { EnvelopeContext } from "../core/envelope.ts";
import { KeyctlError } from "../core/errors.ts";
import type { Secret } from "../core/secret.ts";
import { formatSealedValue, parseSealedValue } from "../core/sealed-value.ts";
import { uuidBytes } from "../core/uuid.ts";
import { unwrapDataKey } from "./unwrap-data-key.ts";
import { wrapDataKey } from "./wrap-data-key.ts";
import type { DataKeyDeps } from "./wrap-data-key.ts";

/** What a value belongs to, in the program's own words: it opens with the same context only. */
export type ValueContext = string;

const contextBytesMax = 0xffff;

/** The value as `KCV1` bytes, under a data key of its own that the encryption key at `path` wraps; errors as `wrapDataKey`. */
export async function sealValue(
  deps: DataKeyDeps,
  input: { path: string; plaintext: Secret; context: ValueContext },
): Promise<Uint8Array> {
  assertContext(input.context);
  const kAuth = await deps.keyring.envelopeKey(null);
  const { plaintext: dek, wrapped, id, key, version } = await wrapDataKey(deps, input);
  const place = { tenantId: key.tenantId, id, version: version.version };
  const envelope = sealEnvelope({
    kAuth: kAuth.key,
    kAuthVersion: kAuth.version,
    dek: dek.reveal(),
    context: envelopeContext(place, input.context),
    plaintext: input.plaintext,
    random: { salt32: deps.random.bytes(32), nonce12: deps.random.bytes(12) },
  });
  return formatSealedValue({ wrapped, envelope });
}

/** The value in `KCV1` bytes; `integrity` when they were changed or belong to another context, else as `unwrapDataKey`. */
export async function openSealedValue(
  deps: DataKeyDeps,
  input: { sealed: Uint8Array; context: ValueContext },
): Promise<Secret> {
  assertContext(input.context);
  const { wrapped, envelope } = parseSealedValue(input.sealed);
  const kAuth = await deps.keyring.envelopeKey(parseEnvelopeHeader(envelope).kAuthVersion);
  const { plaintext: dek, dataKey } = await unwrapDataKey(deps, { wrapped });
  const context = envelopeContext(dataKey, input.context);
  return openEnvelope({ bytes: envelope, kAuth: kAuth.key, dek: dek.reveal(), context });
}

/** The data key's id as the row: a value does not open under another data key's wrap. */
function envelopeContext(
  { tenantId, id, version }: { tenantId: string; id: string; version: number },
  context: ValueContext,
): EnvelopeContext {
  return {
    table: "values",
    column: context,
    tenant16: uuidBytes(tenantId),
    row16: uuidBytes(id),
    version: BigInt(version),
  };
}

function assertContext(context: ValueContext): void {
  if (Buffer.byteLength(context) <= contextBytesMax) return;
  throw new KeyctlError("usage", `a value's context has at most ${contextBytesMax} bytes`, {
    hint: "name the table, column and row that the value stands in",
  });
}
