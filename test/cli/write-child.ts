// Writes until it fails and tells how; run by process-io.test.ts.
import { processIo } from "../../src/cli/process-io.ts";
import { KeyctlError } from "../../src/core/errors.ts";

const io = processIo(process);
try {
  for (;;) await io.stdout.write("x".repeat(100_000));
} catch (error) {
  if (!(error instanceof KeyctlError)) throw error;
  await io.stderr.write(error.name === "OutputClosed" ? error.name : `${error.code}: ${error.message}`);
}
