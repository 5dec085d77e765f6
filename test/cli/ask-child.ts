// Asks on the terminal that it was started in, with the real streams, and tells what it got; run by prompt.test.ts.
import { processIo } from "../../src/cli/process-io.ts";
import { isKeyctlError } from "../../src/core/errors.ts";

const io = processIo(process);
const prompter = await io.openPrompter();
if (prompter === null) {
  process.stdout.write("no terminal\n");
} else {
  try {
    const kind = process.argv[2];
    if (kind === "confirm") process.stdout.write(`\nanswer ${await prompter.confirm("really?")}\n`);
    else if (kind === "text") process.stdout.write(`\nanswer ${await prompter.text("type it")}\n`);
    else process.stdout.write(`\nlength ${(await prompter.password("the secret")).byteLength}\n`);
  } catch (error) {
    process.stdout.write(`\n${isKeyctlError(error) ? error.code : "unknown error"}\n`);
  } finally {
    prompter.close();
  }
  // What a process that has run out of work does not reach.
  setImmediate(() => process.stdout.write("goes on\n"));
}
