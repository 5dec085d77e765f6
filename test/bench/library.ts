import { createHmac, createSecretKey } from "node:crypto";
import { keyringOver } from "../../src/library/keyring-over.ts";
import type { Keyring } from "../../src/library/keyring.ts";
import { makeBenchHome } from "./home.ts";
import { interleaved } from "./measure.ts";
import { newIssuedKey } from "./new-key.ts";
import type { Bench } from "./report.ts";

/** More than the five seconds for which a row is kept. */
const coldMs = 10_000;

/**
 * What a back end's library does for each request, with its row in the cache, and with the row read from SQLite; the rows of
 * usage that it writes are part of it. The floor is one HMAC over a key object that is kept, which no verification does without.
 */
export async function library(bench: Bench): Promise<void> {
  const home = await makeBenchHome();
  const session = await home.session();
  let elapsed = 0;
  const { secret } = await newIssuedKey(session, "payments");
  if (secret === null) throw new Error("the key was not handed out");
  const issued = Buffer.from(secret.reveal()).toString("latin1");
  const { verifierKey } = (await session.keyring.current()).keys;
  const key = createSecretKey(verifierKey);
  const keyring = await keyringOver({
    ...session,
    stopwatch: { now: () => elapsed },
    every: () => () => undefined,
  });
  const age = (): void => {
    elapsed += coldMs;
  };
  try {
    const count = bench.sized(20_000, 1_000);
    const input = new Uint8Array(80);
    const taken = await interleaved(7, {
      bare: () => {
        for (let done = 0; done < count; done += 1) createHmac("sha256", key).update(input).digest();
      },
      cached: async () => await verifyMany(keyring, issued, count),
      stored: async () => await verifyMany(keyring, issued, count, age),
      denied: async () => await verifyMany(keyring, `${issued}x`, count),
    });
    const rate = (ms: number): number => (count / ms) * 1_000;
    const peer = { what: "one HMAC-SHA-256", value: rate(taken.bare) };
    const figure = (what: string, ms: number, goal?: string): void =>
      bench.figure({ what, value: rate(ms), unit: "/s", peer, ...(goal === undefined ? {} : { goal }) });
    figure("verify, row cached", taken.cached, "≥ 50,000/s");
    figure("verify, row from SQLite", taken.stored, "≥ 5,000/s");
    // On a shared machine: what one core would do if nobody else had it.
    const perProcessor = async (what: string, before?: () => void): Promise<void> => {
      const spent = await processorMs(async () => await verifyMany(keyring, issued, count, before));
      bench.figure({ what: `${what}, per second of processor`, value: rate(spent), unit: "/s" });
    };
    await perProcessor("verify, row cached");
    await perProcessor("verify, row from SQLite", age);
    figure("verify, no key of ours, counted as denied", taken.denied);
  } finally {
    await keyring.close();
    home.remove();
  }
}

/** The processor's time that some work took in this process, its writes included. */
async function processorMs(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

/** Ends when what was verified is written as well. */
async function verifyMany(
  keyring: Keyring,
  presented: string,
  count: number,
  before?: () => void,
): Promise<void> {
  for (let done = 0; done < count; done += 1) {
    before?.();
    await keyring.verify(presented);
  }
  await keyring.flush();
}
