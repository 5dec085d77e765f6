import { rmSync } from "node:fs";
import { afterAll } from "vitest";
import { describeVaultContract } from "./contract.ts";
import { createIn, placeIn, temporaryFolder } from "./vault-place.ts";

const folder = temporaryFolder();
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describeVaultContract("embedded", async () => await createIn(placeIn(folder)));
