import { writeSync } from "node:fs";

// Loaded before a command line: tells at its end, on descriptor 3, the most memory it had resident, in KiB.
process.on("exit", () => {
  writeSync(3, String(process.resourceUsage().maxRSS));
});
