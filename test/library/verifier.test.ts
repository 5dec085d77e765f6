import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Verifier } from "../../src/app/verifier.ts";
import type { Session } from "../../src/cli/context.ts";
import { formatIssuedKey } from "../../src/core/issued-key.ts";
import { makeHome } from "../fakes/home.ts";
import type { Home } from "../fakes/home.ts";

let home: Home;
let session: Session;
let issued: string;
let reads: number;
let elapsed: number;
let verifier: Verifier;

beforeEach(async () => {
  home = await makeHome();
  issued = (await home.ok(["create", "orders", "--kind", "issued"])).trim();
  session = await home.session();
  reads = 0;
  elapsed = 0;
  const store = {
    ...session.store,
    versionByPublicId: async (publicId: string) => {
      reads += 1;
      return await session.store.versionByPublicId(publicId);
    },
  };
  verifier = new Verifier({ ...session, store, stopwatch: { now: () => elapsed } });
  await verifier.prepare();
});
afterEach(async () => {
  await session.close();
  home.remove();
});

const asked = { scopes: [], isWithinReach: () => true };
const judge = async (key: string) => await verifier.judge(key, asked);

describe("a verifier", () => {
  it("reads a row once, however many ask for it at once", async () => {
    const judged = await Promise.all(Array.from({ length: 1_000 }, async () => await judge(issued)));
    expect(judged.every(({ valid }) => valid)).toBe(true);
    expect(reads).toBe(1);
  });

  it("reads it again after five seconds, though the wall clock stood still, or was set back for as long as it ran", async () => {
    await judge(issued);
    elapsed += 4_999;
    await judge(issued);
    expect(reads).toBe(1);
    elapsed += 1;
    await judge(issued);
    expect(reads).toBe(2);
    elapsed += 3_600_000;
    home.now += 1;
    await judge(issued);
    expect(reads).toBe(3);
  });

  it("keeps nothing of keys that no row has, and keeps at most 10,000 rows of those that are there", async () => {
    const secret24 = new Uint8Array(24);
    const unknown = (number: number): string => {
      const id10 = new Uint8Array(10);
      new DataView(id10.buffer).setUint32(0, number);
      return Buffer.from(formatIssuedKey({ prefix: "kc_live", id10, secret24 }).reveal()).toString("latin1");
    };
    await judge(issued);
    for (let number = 0; number < 2_000; number += 1) await judge(unknown(number));
    expect(reads).toBe(2_001);
    await judge(unknown(1));
    expect(reads).toBe(2_002);
    await judge(issued);
    expect(reads).toBe(2_002);
  });

  it("drops the row that it read first when there are too many", async () => {
    const row = await session.store.versionByPublicId(issued.split(".")[1] ?? "");
    if (row === null) throw new Error("the key is not there");
    // Every public id is answered with the one genuine row: what is kept is counted by id.
    const store = {
      ...session.store,
      versionByPublicId: async () => {
        reads += 1;
        return await Promise.resolve(row);
      },
    };
    verifier = new Verifier({ ...session, store, stopwatch: { now: () => elapsed } });
    await verifier.prepare();
    await judge(issued);
    const others = Array.from({ length: 10_000 }, (_, number) => {
      const id10 = new Uint8Array(10);
      new DataView(id10.buffer).setUint32(0, number);
      const key = formatIssuedKey({ prefix: "kc_live", id10, secret24: new Uint8Array(24) });
      return Buffer.from(key.reveal()).toString("latin1");
    });
    for (const key of others) await judge(key);
    expect(reads).toBe(10_001);
    await judge(issued);
    expect(reads).toBe(10_002);
  });
});
