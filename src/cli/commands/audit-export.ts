import { KeyctlError } from "../../core/errors.ts";
import type { CommandDefinition } from "../command.ts";
import { auditFilterOptions, readAuditFilter } from "./audit-filter.ts";

const formats = ["jsonl", "csv", "bundle"] as const;

export const auditExportCommand: CommandDefinition = {
  name: "audit-export",
  section: "Audit",
  summary: "export the audit log: its exact lines, a table, or a bundle that proves itself offline",
  description:
    "jsonl and csv go to stdout, or into --out (0600). A bundle is a new folder with every leaf, a signed checkpoint and a script that checks it with Python and openssl alone.",
  arguments: [],
  options: [
    ...auditFilterOptions,
    {
      name: "format",
      value: "FORMAT",
      choices: formats,
      summary: "the form of the export",
      defaultText: "jsonl",
    },
    {
      name: "out",
      value: "PATH",
      completes: "file",
      summary: "the file, or the folder of a bundle; it must not exist for a bundle",
    },
    { name: "with-personal", summary: "bundle: with the personal data that the entries commit to" },
  ],
  examples: [
    { command: "keyctl audit-export --format bundle --out audit-2026", does: "evidence for an auditor" },
    {
      command: "keyctl audit-export --since 24h --operation key.revoke",
      does: "yesterday's revokes as JSON lines",
    },
  ],
  danger: "none",
  mutation: "no",
  outFile: "own",
  run: async (context, { flags }) => {
    const { beginExport, exportBundle, exportLines } = await import("../../app/export-audit.ts");
    const { talk, io, globals } = context;
    const format = flags.choice("format", formats) ?? "jsonl";
    const path = flags.text("out") ?? globals.outFile;
    const withPersonal = flags.on("with-personal");
    if (format === "bundle" && path === null)
      throw new KeyctlError("usage", "a bundle is a folder: --out is missing", {
        hint: "keyctl audit-export --format bundle --out DIR",
      });
    if (format !== "bundle" && withPersonal)
      throw new KeyctlError("usage", "--with-personal goes with --format bundle");
    const session = await context.session({ make: false, deletedTenant: true });
    if (format === "bundle" && path !== null && (await session.files.exists(path))) {
      throw new KeyctlError("conflict", `${path} exists already`, {
        hint: "name a folder that does not exist",
        retryable: false,
      });
    }
    const range = await beginExport(session, {
      filter: readAuditFilter(flags, io.now()),
      withPersonal,
      format,
    });
    if (format === "bundle" && path !== null) {
      const manifest = await exportBundle(session, range, { path, withPersonal });
      talk.note(
        `${manifest.entries} of ${manifest.size} entries in ${path}; check it with python3 ${path}/verify.py or keyctl audit-verify ${path}`,
      );
      const { entries, size, fingerprint, origin } = manifest;
      await context.answer.value(
        { path, origin, entries, size, fingerprint },
        `fingerprint ${fingerprint}\n`,
      );
      return "ok";
    }
    const lines = exportLines(session, range, format === "csv" ? "csv" : "jsonl");
    if (path === null) for await (const line of lines) await talk.answer(line);
    else await session.files.writePrivate(path, lines);
    return "ok";
  },
};
