import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { isInRange } from "../../src/core/node-range.ts";

const manifest: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
const range = "^22.22.2 || ^24.15.0 || >=26";

describe("a version of Node", () => {
  it.each(["22.22.2", "22.30.0", "24.15.0", "24.99.1", "26.0.0", "30.1.0", "v24.15.0"])(
    "%s is in",
    (version) => {
      expect(isInRange(version, range)).toBe(true);
    },
  );

  it.each([
    "18.20.8",
    "20.19.5",
    "22.22.1",
    "22.9.0",
    "23.11.1",
    "24.14.1",
    "25.2.0",
    "",
    "nightly",
    "26.0.0-rc.1",
  ])("%s is out", (version) => {
    expect(isInRange(version, range)).toBe(false);
  });

  it("is compared with a range of the two forms that package.json has, and with no other", () => {
    expect(manifest).toMatchObject({ engines: { node: range } });
    for (const other of ["~24.0.0", "24", "*", "", ">= 24 <26"])
      expect(isInRange("24.15.0", other), other).toBe(false);
  });
});
