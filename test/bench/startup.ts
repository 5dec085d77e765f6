import { assertBuilt, runKeyctl, runNode } from "./child.ts";
import { makeBenchHome } from "./home.ts";
import { interleaved } from "./measure.ts";
import { newIssuedKey } from "./new-key.ts";
import type { Bench } from "./report.ts";

/** Whole processes, from start to end, against a Node that does nothing. */
export async function startup(bench: Bench): Promise<void> {
  assertBuilt();
  const home = await makeBenchHome();
  try {
    const session = await home.session();
    await newIssuedKey(session, "payments");
    await session.close();
    const commands = {
      "node -e 0": () => runNode(["-e", "0"]),
      "--version": () => runKeyctl(home.path, ["--version"]),
      "--help": () => runKeyctl(home.path, ["--help"]),
      "list -o jsonl": () => runKeyctl(home.path, ["list", "-o", "jsonl"]),
      list: () => runKeyctl(home.path, ["list"]),
      "audit-list": () => runKeyctl(home.path, ["audit-list"]),
    };
    // The first run of each fills the compile cache.
    await interleaved(1, commands);
    const { "node -e 0": floor, ...taken } = await interleaved(bench.sized(31, 5), commands);
    for (const [what, value] of Object.entries(taken)) {
      const goal = what === "--version" ? { goal: "≤ 1.5 ×" } : {};
      bench.figure({
        what: `keyctl ${what}`,
        value,
        unit: "ms",
        peer: { what: "node -e 0", value: floor },
        ...goal,
      });
    }
  } finally {
    home.remove();
  }
}
