import type { Finding, ManagedFinding, ScanReport } from "./finding.ts";

export interface TextOptions {
  /** Break what a CI runner would take for a command in its log. */
  ci: boolean;
}

/** Places shown for a secret that stands in many; the JSON report has up to 100. */
const placesShown = 5;

/**
 * The report for people, one string per line. Nothing in it is a secret or a control character: paths, names and reasons come from
 * outside and are cleaned.
 */
export function formatText(report: ScanReport, options: TextOptions): string[] {
  const lines = report.findings.flatMap((finding) => [...findingLines(finding), ""]);
  lines.push(...report.coverage.skipped.map(({ path, reason }) => `not read: ${path}: ${reason}`));
  lines.push(summaryLine(report));
  return lines.map((line) => foreign(line, options));
}

/** The report as JSON Lines: one object for each finding, then one with coverage, summary and duration. */
export function toJsonLines(report: ScanReport): object[] {
  const { findings, ...rest } = report;
  return [...findings, rest];
}

function findingLines(finding: Finding): string[] {
  const { path, line, column } = finding;
  const many = finding.count === 1 ? "" : `, ${finding.count} times`;
  const lines = [
    `${path}:${line}:${column}  ${finding.severity}  ${finding.ruleId}  (${finding.provider}, ${finding.confidence})`,
    `  ${finding.masked}  ${finding.length} characters${many}${finding.proof === null ? "" : `; ${finding.proof}`}`,
  ];
  for (const place of finding.occurrences.slice(1, placesShown)) {
    lines.push(`  also ${place.path}:${place.line}:${place.column}`);
  }
  if (finding.count > placesShown) lines.push(`  and ${finding.count - placesShown} more`);
  if (finding.managed !== null) lines.push(...managedLines(finding.managed));
  return lines;
}

function managedLines(managed: ManagedFinding): string[] {
  if ("foreign" in managed) return ["  a key of this store, of another tenant: tell its owner"];
  const { tenant, env, name, version, state, owner } = managed;
  const lines = [`  our key ${tenant}/${env}/${name}, version ${version}, ${state}, owner ${owner}`];
  if (managed.command !== null) lines.push(`  to stop it: ${managed.command}`);
  return lines;
}

function summaryLine(report: ScanReport): string {
  const { summary, coverage } = report;
  const found = summary.leaks === 0 ? "no secret found" : `${plural(summary.leaks, "secret")} found`;
  const ours = summary.managed === 0 ? "" : `, ${summary.managed} of them managed here`;
  const looked = coverage.managed === "none" ? "; our own keys were not looked up" : "";
  const missed = summary.incomplete ? `; ${plural(coverage.skipped.length, "file")} not read` : "";
  return `${found}${ours} in ${plural(coverage.files, "file")}, ${plural(coverage.bytes, "byte")}${looked}${missed}`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Control, bidirectional and zero-width characters as escapes; in CI, runner commands broken by a space. */
function foreign(line: string, options: TextOptions): string {
  const shown = line.replaceAll(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
  if (!options.ci) return shown;
  return shown.replaceAll("::", ": :").replaceAll(/##(vso)?\[/giu, "## $1[");
}
