import { resolve } from "node:path";
import type { AuditVerdict } from "../../app/verify-audit.ts";
import type { BundleVerdict } from "../../audit/verify-bundle.ts";
import { KeyctlError } from "../../core/errors.ts";
import type { CommandDefinition } from "../command.ts";
import type { CommandContext } from "../context.ts";
import type { Outcome } from "../exit-codes.ts";
import { isoTime } from "../../core/iso-time.ts";
import { logOption, readLog } from "./audit-filter.ts";

export const auditVerifyCommand: CommandDefinition = {
  name: "audit-verify",
  section: "Audit",
  summary: "check that the audit log is whole and unchanged; or a bundle, offline",
  description:
    "Two verdicts: integrity (every entry is the one that was appended) and completeness (the log reaches as far as this client has seen). Without anything seen before, completeness is unknown, which is not an error.",
  arguments: [
    {
      name: "BUNDLE",
      summary: "the folder of an export bundle; without it, the store's log",
      completes: "folder",
      required: false,
    },
  ],
  options: [
    logOption,
    { name: "state", summary: "also replay the log and compare every key with it" },
    {
      name: "fingerprint",
      value: "HEX",
      summary: "bundle: the signing key's fingerprint, obtained elsewhere",
    },
  ],
  examples: [
    { command: "keyctl audit-verify --state", does: "the log, and the keys against the log" },
    {
      command:
        "keyctl audit-verify audit-2026 --fingerprint 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
      does: "a bundle, against a key that you trust",
    },
  ],
  danger: "none",
  mutation: "no",
  run: async (context, { args, flags }) => {
    const [bundle] = args;
    const fingerprint = flags.text("fingerprint");
    if (bundle !== undefined) {
      if (flags.on("state"))
        throw new KeyctlError("usage", "--state compares the store: it does not go with a bundle");
      return await verifyFolder(context, bundle, fingerprint);
    }
    if (fingerprint !== null) throw new KeyctlError("usage", "--fingerprint goes with a bundle");
    const log = readLog(flags);
    if (log === "system" && flags.on("state")) {
      throw new KeyctlError("usage", "--state compares keys, and the system log has none");
    }
    const { verifyAudit } = await import("../../app/verify-audit.ts");
    const session = await context.session({ make: false, deletedTenant: true });
    const verdict = await verifyAudit(session, { log, state: flags.on("state") });
    await showVerdict(context, verdict);
    const isSound =
      verdict.integrity === "ok" &&
      verdict.completeness !== "truncated" &&
      (verdict.differences ?? []).length === 0;
    return isSound ? "ok" : "integrity";
  },
};

async function showVerdict({ answer, talk }: CommandContext, verdict: AuditVerdict): Promise<void> {
  const { log, size, integrity, completeness, firstBadSeq, checkpoints, problem, differences } = verdict;
  const root = Buffer.from(verdict.root).toString("hex");
  const newestCheckpointAt = isoTime(verdict.newestCheckpointAt);
  const json = {
    log,
    size,
    root,
    integrity,
    completeness,
    firstBadSeq,
    checkpoints,
    newestCheckpointAt,
    problem,
    ...(differences === null ? {} : { differences }),
  };
  const lines = [
    `${size} ${size === 1 ? "entry" : "entries"}, ${checkpoints} ${checkpoints === 1 ? "checkpoint" : "checkpoints"}${newestCheckpointAt === null ? "" : `, the newest of ${newestCheckpointAt}`}`,
    `integrity ${integrity}${firstBadSeq === null ? "" : `, first bad entry ${firstBadSeq}`}`,
    `completeness ${completeness}`,
    `root ${root}`,
    ...(differences ?? []).map((difference) => `differs: ${difference}`),
  ];
  await answer.value(json, lines.map((line) => `${line}\n`).join(""));
  if (problem !== null) talk.warn(problem);
  if (completeness === "truncated")
    talk.warn(
      "the log is shorter than, or not the same as, what was seen before: an older copy of the database may have been put back",
    );
  if (completeness === "unknown")
    talk.note(
      "nothing was seen of this log before on this machine: an export bundle kept elsewhere tells more",
    );
}

async function verifyFolder(
  context: CommandContext,
  folder: string,
  fingerprint: string | null,
): Promise<Outcome> {
  const { verifyAuditBundle } = await import("../../app/verify-audit.ts");
  const { parseFingerprint } = await import("../../audit/public-key.ts");
  const services = await context.services();
  if (!(await services.files.exists(resolve(context.io.cwd, folder)))) {
    throw new KeyctlError("not-found", `there is no bundle at ${folder}`, {
      hint: "keyctl audit-export --format bundle --out DIR makes one",
    });
  }
  const verdict = await verifyAuditBundle(
    { memory: await services.memory(context.globals) },
    {
      open: services.bundle(folder),
      fingerprint: fingerprint === null ? null : parseFingerprint(fingerprint),
    },
  );
  await showBundleVerdict(context, verdict);
  return verdict.integrity === "ok" && verdict.completeness !== "truncated" ? "ok" : "integrity";
}

async function showBundleVerdict({ answer, talk }: CommandContext, verdict: BundleVerdict): Promise<void> {
  const {
    log,
    size,
    integrity,
    completeness,
    firstBadSeq,
    entries,
    isFiltered,
    isTrusted,
    fingerprint,
    problem,
  } = verdict;
  const root = verdict.root === null ? null : Buffer.from(verdict.root).toString("hex");
  const json = {
    log,
    size,
    root,
    integrity,
    completeness,
    firstBadSeq,
    entries,
    filtered: isFiltered,
    fingerprint,
    trusted: isTrusted,
    problem,
  };
  const lines = [
    `${entries} of ${size} entries shown${isFiltered ? ", filtered: what is shown is real, what is left out is not known" : ""}`,
    `integrity ${integrity}${firstBadSeq === null ? "" : `, first bad entry ${firstBadSeq}`}`,
    `completeness ${completeness}`,
    `fingerprint ${fingerprint ?? "unreadable"}`,
  ];
  await answer.value(json, lines.map((line) => `${line}\n`).join(""));
  if (problem !== null) talk.warn(problem);
  else if (!isTrusted)
    talk.note("consistent with the key inside: compare the fingerprint with one obtained elsewhere");
  if (problem === null && completeness === "unknown")
    talk.note("this machine has seen nothing of that log, or more of it than the bundle holds");
}
