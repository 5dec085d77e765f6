import { bundleFiles, formatManifest, formatPersonalLine, formatSum } from "../audit/bundle.ts";
import type { BundleManifest, SummedFile } from "../audit/bundle.ts";
import { verifyByAny } from "../audit/verify.ts";
import { isEmptyFilter } from "../audit/filter.ts";
import type { AuditFilter } from "../audit/filter.ts";
import { fingerprint, formatPem } from "../audit/public-key.ts";
import { verifyGuide } from "../audit/verify-guide.ts";
import { verifyScript } from "../audit/verify-script.ts";
import { csvHeader, csvRow, jsonlLine } from "../audit/views.ts";
import { KeyctlError } from "../core/errors.ts";
import { attempted } from "./attempt.ts";
import type { Deps } from "./deps.ts";
import type { WriteFile } from "./ports.ts";
import { recordAudit } from "./record-audit.ts";
import { callersLog, resolveFilter, selectEntries } from "./select-audit.ts";
import { signCheckpoint } from "./sign-checkpoint.ts";
import type { SignedLog } from "./sign-checkpoint.ts";

export interface ExportInput {
  filter: AuditFilter;
  withPersonal: boolean;
}

/** What an export covers: the log up to a checkpoint that was signed for it. */
export interface ExportRange extends SignedLog {
  log: string;
  filter: AuditFilter;
}

/** Records the export in the log, signs the log with that entry in it, and answers the range to export. */
export async function beginExport(deps: Deps, input: ExportInput & { format: string }): Promise<ExportRange> {
  return await attempted(deps, { operation: "audit.export" }, async () => await begin(deps, input));
}

async function begin(deps: Deps, input: ExportInput & { format: string }): Promise<ExportRange> {
  const log = callersLog(deps, "tenant");
  const filter = await resolveFilter(deps, input.filter);
  // Asked first: an export that cannot be signed must not stand in the log as done.
  await (await deps.vault()).keys.publicKey(await deps.keyring.checkpointKey());
  const after = { format: input.format, filtered: !isEmptyFilter(filter), withPersonal: input.withPersonal };
  await deps.store.transaction(
    async (tx) => await recordAudit(tx, deps, { operation: "audit.export", sensitivity: "HIGH", after }),
  );
  const signed = await signCheckpoint(deps, log, { onlyWhenStale: false });
  if (signed === null)
    throw new KeyctlError("integrity", "the log is empty although an entry was just written");
  return { ...signed, log, filter };
}

/** The export as JSON lines (the exact stored bytes) or CSV, streamed. */
export async function* exportLines(
  deps: Deps,
  range: ExportRange,
  format: "jsonl" | "csv",
): AsyncGenerator<Uint8Array> {
  const encode = new TextEncoder();
  if (format === "csv") yield encode.encode(csvHeader());
  if (format === "jsonl" && isEmptyFilter(range.filter)) {
    for await (const row of deps.store.auditEntries({ log: range.log, toSeq: range.size }))
      yield jsonlLine(row.bytes);
    return;
  }
  const query = { log: range.log, filter: range.filter, toSeq: range.size };
  for await (const { row, entry } of selectEntries(deps, query)) {
    yield format === "csv" ? encode.encode(csvRow(entry)) : jsonlLine(row.bytes);
  }
}

/**
 * The export as a folder that proves itself offline: entries, every leaf, the signed checkpoint, the public key, and a
 * script that checks it all. `conflict` when the folder exists; a failure leaves none. Answers the manifest.
 */
export async function exportBundle(
  deps: Deps,
  range: ExportRange,
  out: { path: string; withPersonal: boolean },
): Promise<BundleManifest> {
  const spki = await (await deps.vault()).keys.publicKey(await deps.keyring.checkpointKey());
  const { root } = verifyByAny(range.note, { origin: range.origin, publicKeys: [spki] });
  let manifest: BundleManifest = {
    origin: range.origin,
    log: range.log,
    size: range.size,
    root,
    entries: 0,
    filter: range.filter,
    createdAt: deps.clock.now(),
    tool: deps.tool,
    fingerprint: fingerprint(spki),
    hasPersonalData: out.withPersonal,
  };
  await deps.files.writeFolder(out.path, async (write) => {
    const sums: string[] = [];
    const put = async (name: SummedFile, content: Parameters<WriteFile>[1] | string): Promise<void> => {
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      sums.push(formatSum(name, await write(name, bytes)));
    };
    const counted = { entries: 0 };
    await put(bundleFiles.entries, counting(exportLines(deps, range, "jsonl"), counted));
    manifest = { ...manifest, entries: counted.entries };
    await put(bundleFiles.leaves, leaves(deps, range));
    if (out.withPersonal) await put(bundleFiles.personal, personalLines(deps, range));
    await put(bundleFiles.checkpoint, range.note);
    await put(bundleFiles.publicKey, formatPem(spki));
    await put(bundleFiles.manifest, formatManifest(manifest));
    await put(bundleFiles.guide, verifyGuide(manifest));
    await put(bundleFiles.script, verifyScript);
    await write(bundleFiles.sums, new TextEncoder().encode(sums.join("")));
  });
  return manifest;
}

async function* counting(
  lines: AsyncIterable<Uint8Array>,
  counted: { entries: number },
): AsyncGenerator<Uint8Array> {
  for await (const line of lines) {
    counted.entries += 1;
    yield line;
  }
}

async function* leaves(deps: Deps, range: ExportRange): AsyncGenerator<Uint8Array> {
  for await (const row of deps.store.auditEntries({ log: range.log, toSeq: range.size })) yield row.leaf;
}

async function* personalLines(deps: Deps, range: ExportRange): AsyncGenerator<Uint8Array> {
  const query = { log: range.log, filter: range.filter, toSeq: range.size };
  for await (const { entry } of selectEntries(deps, query)) {
    for (const personal of await deps.store.auditPersonal(range.log, entry.seq)) {
      yield new TextEncoder().encode(formatPersonalLine({ seq: entry.seq, ...personal }));
    }
  }
}
