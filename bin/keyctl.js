#!/usr/bin/env node
// Old syntax on purpose: a Node that is too old must get as far as saying so.
import module from "node:module";

// The floor of the libraries that keyctl stands on, as "engines" in package.json has it.
var version = process.versions.node.split(".").map(Number);
var major = version[0];
var minor = version[1];
var patch = version[2];
var isSupported =
  (major === 22 && (minor > 22 || (minor === 22 && patch >= 2))) ||
  (major === 24 && minor >= 15) ||
  major >= 26;

function fail(message, hint) {
  process.stderr.write("keyctl: error: " + message + "\nkeyctl: hint: " + hint + "\n");
  process.exitCode = 10;
}

if (isSupported) {
  if (module.enableCompileCache) module.enableCompileCache();
  import("../dist/main.js").then(
    function (main) {
      return main.runProcess().then(function (code) {
        process.exitCode = code;
        // After Ctrl-C something may still be under way that would keep the process alive.
        if (code === 130) process.exit(code);
      });
    },
    function (error) {
      if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
      fail("keyctl is not built yet, or not installed whole", "npm ci, then npm run build");
    },
  );
} else {
  fail(
    "this is Node " + process.versions.node + ", and keyctl needs 22.22.2, 24.15 or 26 and newer",
    "npx keyctl uses the Node that came with npm ci; or install Node 24",
  );
}
