import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseEntry } from "../../src/audit/entry.ts";
import type { AuditDraft, AuditEntry } from "../../src/audit/entry.ts";
import { isEmptyFilter, matchesFilter } from "../../src/audit/filter.ts";
import type { AuditFilter } from "../../src/audit/filter.ts";
import {
  csvCell,
  csvColumns,
  csvHeader,
  csvRow,
  jsonlLine,
  summaryLine,
  timeOf,
} from "../../src/audit/views.ts";
import { actorId, keyUuid, sampleEntry } from "./sample-log.ts";

const entry = (changes: Partial<AuditDraft> = {}): AuditEntry => parseEntry(sampleEntry(3, changes));

describe("a filter", () => {
  const ts = entry().ts;
  const wanted = (filter: AuditFilter, changes: Partial<AuditDraft> = {}): boolean =>
    matchesFilter(entry(changes), filter);

  it("wants everything when it is empty", () => {
    expect(isEmptyFilter({})).toBe(true);
    expect(isEmptyFilter({ actor: "a" })).toBe(false);
    expect(wanted({})).toBe(true);
  });

  it("begins with since and ends before until", () => {
    expect(wanted({ since: ts })).toBe(true);
    expect(wanted({ since: ts + 1 })).toBe(false);
    expect(wanted({ until: ts })).toBe(false);
    expect(wanted({ until: ts + 1 })).toBe(true);
  });

  it("knows a key by id, name and env/name, without case", () => {
    for (const key of [keyUuid, keyUuid.toUpperCase(), "stripe", "STRIPE", "prod/Stripe"]) {
      expect(wanted({ key }), key).toBe(true);
    }
    for (const key of ["", "strip", "dev/stripe", "prod"]) expect(wanted({ key }), key).toBe(false);
    expect(wanted({ key: "stripe" }, { key: null })).toBe(false);
  });

  it("knows an operation, or all below it, and an actor", () => {
    expect(wanted({ operation: "key.rotate" })).toBe(true);
    expect(wanted({ operation: "key" })).toBe(true);
    expect(wanted({ operation: "key.rot" })).toBe(false);
    expect(wanted({ operation: "ke" })).toBe(false);
    expect(wanted({ actor: actorId })).toBe(true);
    expect(wanted({ actor: "another" })).toBe(false);
  });

  it("wants what every given field wants", () => {
    const some = fc.constantFrom(true, false);
    fc.assert(
      fc.property(some, some, some, (isActor, isKey, isOperation) => {
        const filter = {
          actor: isActor ? actorId : "x",
          key: isKey ? "stripe" : "x",
          operation: isOperation ? "key" : "x",
        };
        expect(wanted(filter)).toBe(isActor && isKey && isOperation);
      }),
    );
  });
});

describe("CSV", () => {
  it("has a header and a line of as many cells, ended as RFC 4180 says", () => {
    expect(csvHeader()).toBe(`${csvColumns.join(",")}\r\n`);
    expect(csvRow(entry({ after: null, before: null }))).toBe(
      "3,2026-09-21T14:13:20.003Z,01935f5e-8a2b-7c3d-9e4f-dddddddddddd,01935f5e-8a2b-7c3d-9e4f-aaaaaaaaaaaa," +
        `key.rotate,outcome,success,HIGH,${actorId},"os-user, not authenticated",${keyUuid},stripe,prod,issued,` +
        '"v1 active→rotated, v2 pending→active",,c-1,12,keyctl 0.1.0,,\r\n',
    );
    expect(csvRow(entry({ key: null, transitions: [] }))).toContain(",,,,,");
  });

  it("gives a spreadsheet nothing to compute", () => {
    const hostile = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"];
    for (const text of hostile) {
      expect(csvCell(text).replace(/^"/u, "").startsWith("'"), text).toBe(true);
      const row = csvRow(
        entry({ key: { id: text, name: text, env: text, kind: "issued" }, reason: text, tool: text }),
      );
      expect(row).not.toMatch(/(?:^|,)"?[=+\-@\t\r](?!\n)/u);
    }
  });

  it("brings back every text that is not a formula", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const cell = csvCell(text);
        const bare = cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell;
        expect(bare === text || bare === `'${text}`).toBe(true);
        if (!cell.startsWith('"')) expect(cell).not.toMatch(/[",\r\n]/u);
      }),
    );
  });
});

describe("a JSON line", () => {
  it("is the exact stored bytes and a newline", () => {
    const bytes = sampleEntry(3);
    expect(jsonlLine(bytes)).toEqual(Uint8Array.of(...bytes, 0x0a));
  });
});

describe("the line for people", () => {
  it("says when, what, which key, how it changed and who", () => {
    expect(summaryLine(entry(), () => "mara")).toBe(
      "2026-09-21T14:13:20.003Z  #3  key.rotate  prod/stripe  v1 active→rotated, v2 pending→active  by mara",
    );
  });

  it("says what went another way, and the id of an actor without a name", () => {
    const changes = {
      key: null,
      transitions: [],
      phase: "intent" as const,
      outcome: "denied" as const,
      reason: "superseded",
    };
    expect(summaryLine(entry(changes), () => null)).toBe(
      `2026-09-21T14:13:20.003Z  #3  key.rotate (begun)  denied  reason superseded  by ${actorId}`,
    );
    expect(
      summaryLine(entry({ transitions: [{ version: 1, from: null, to: "pending" }] }), () => "m"),
    ).toContain("v1 new→pending");
  });

  it("shows a moment that no calendar reaches as a number", () => {
    expect(timeOf({ ts: Number.MAX_SAFE_INTEGER })).toBe(String(Number.MAX_SAFE_INTEGER));
  });
});
