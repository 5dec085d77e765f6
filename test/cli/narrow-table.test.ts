import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fitColumns } from "../../src/cli/render/fit.ts";
import { formatTable } from "../../src/cli/render/table.ts";
import type { Column } from "../../src/cli/render/view.ts";

interface Key {
  name: string;
  owner: string;
  note: string;
}

const columns: readonly Column<Key>[] = [
  { title: "NAME", field: "name", text: (key) => key.name },
  { title: "OWNER", field: "owner", text: (key) => key.owner, narrow: "drop" },
  { title: "NOTE", field: "note", text: (key) => key.note, narrow: "cut" },
];
const rows: Key[] = [
  {
    name: "prod/a-name-that-the-next-command-takes",
    owner: "user:42",
    note: "the payments team's key for orders",
  },
  { name: "prod/b", owner: "app", note: "short" },
];

async function table(width: number | null, wide = false): Promise<string[]> {
  const style = { now: 0, colour: false, ci: false, wide, columns: width };
  return (await formatTable(columns, rows, style)).trimEnd().split("\n");
}

describe("a table on a terminal", () => {
  it("is whole where there is room, in a pipe, and with -o wide", async () => {
    const whole = await table(null);
    expect(whole[1]).toContain("the payments team's key for orders");
    expect(await table(200)).toEqual(whole);
    expect(await table(20, true)).toEqual(whole);
  });

  it("cuts texts first, then leaves columns out, and says that there is more", async () => {
    const cut = await table(70);
    expect(Math.max(...cut.map((line) => line.length))).toBe(70);
    expect(cut[1]).toMatch(/user:42 {2}the payments team's…$/);
    expect(cut[2]).toMatch(/app {6}short$/);
    const dropped = await table(52);
    expect(dropped[0]).toMatch(/^NAME +OWNER {2}…$/);
    expect(dropped[1]).toMatch(/ {2}user:42$/);
    expect((await table(46))[0]).toBe("NAME  …");
  });

  it("never cuts or drops what the next command takes", async () => {
    for (const width of [1, 10, 40, 60]) {
      const lines = await table(width);
      expect(lines[1]).toContain("prod/a-name-that-the-next-command-takes");
      expect(lines[2]).toContain("prod/b");
    }
  });

  const column = fc.record(
    {
      cells: fc.array(fc.string({ unit: "grapheme", maxLength: 30 }), { minLength: 3, maxLength: 3 }),
      narrow: fc.constantFrom("cut" as const, "drop" as const),
    },
    { requiredKeys: ["cells"] },
  );

  it("keeps its firm columns as they are, in their order, at every width", () => {
    fc.assert(
      fc.property(fc.array(column, { maxLength: 6 }), fc.integer({ min: 1, max: 120 }), (given, width) => {
        const firm = given.filter(({ narrow }) => narrow === undefined);
        const kept = fitColumns(given, width).filter(({ narrow }) => narrow === undefined);
        // Of a head only the sign that columns are missing may be added.
        expect(kept.map(({ cells }) => cells.slice(1))).toEqual(firm.map(({ cells }) => cells.slice(1)));
        kept.forEach(({ cells: [head] }, i) =>
          expect([head, head?.replace(/ {2}…$/, "")]).toContain(firm[i]?.cells[0]),
        );
      }),
    );
  });

  it("measures wide characters as a terminal does", () => {
    const [cut] = fitColumns([{ cells: ["NOTE", "東京東京東京東京"], narrow: "cut" as const }], 11);
    expect(cut?.cells).toEqual(["NOTE", "東京東京東…"]);
  });
});
