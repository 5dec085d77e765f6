// The real command line in a process of its own, run from the sources, so that a test never meets an older build.
import { runProcess } from "../../src/main.ts";

const code = await runProcess();
process.exitCode = code;
