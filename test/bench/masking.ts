import { randomBytes } from "node:crypto";
import { Secret } from "../../src/core/secret.ts";
import { Masker, maskPatterns } from "../../src/leak/mask.ts";
import { interleaved } from "./measure.ts";
import type { Bench } from "./report.ts";

const chunkBytes = 65_536;
const chunksPerMebibyte = 1_048_576 / chunkBytes;

/** How fast a program's output goes through the masker of `exec`, against a plain copy. */
export async function masking(bench: Bench): Promise<void> {
  const size = bench.sized(256, 8);
  const text = logText();
  const through = (secrets: readonly string[]) => (): void => {
    const masker = new Masker(maskPatterns(secrets.map((secret) => Secret.fromUtf8(secret))));
    for (let i = 0; i < size * chunksPerMebibyte; i += 1) masker.write(text);
  };
  const taken = await interleaved(3, {
    floor: () => {
      for (let i = 0; i < size * chunksPerMebibyte; i += 1) Uint8Array.from(text);
    },
    one: through([password()]),
    ten: through(Array.from({ length: 10 }, password)),
  });
  const rate = (ms: number): number => (size / ms) * 1_000;
  const peer = { what: "a plain copy", value: rate(taken.floor) };
  bench.figure({ what: "masking, one value of 40 characters", value: rate(taken.one), unit: "MiB/s", peer });
  bench.figure({ what: "masking, ten values of 40 characters", value: rate(taken.ten), unit: "MiB/s", peer });
}

function password(): string {
  return randomBytes(30).toString("base64");
}

/** Lines of a service's log; no value stands in them. */
function logText(): Uint8Array {
  const lines: string[] = [];
  for (let length = 0; length < chunkBytes;) {
    const line = `{"level":"info","requestId":"${randomBytes(16).toString("hex")}","path":"/v1/items","status":200}\n`;
    lines.push(line);
    length += line.length;
  }
  return Buffer.from(lines.join("")).subarray(0, chunkBytes);
}
