import { delimiter, resolve } from "node:path";
import { isInRange } from "../core/node-range.ts";
import { checked, doubtful, failed, passed } from "./check.ts";
import type { Check } from "./check.ts";
import type { FileInspector } from "./ports.ts";

/** The program itself. */
export interface Program {
  version: string;
  /** `bin/keyctl.js`, absolute. */
  script: string;
  /** Of the Node that runs it. */
  nodeVersion: string;
  /** What package.json says it needs. */
  nodeRange: string;
}

/** Which keyctl this is, and whether this Node can run it. */
export function checkProgram({ version, script, nodeVersion, nodeRange }: Program): Check[] {
  const node = { id: "node", subject: "Node" };
  return [
    passed({ id: "program", subject: "keyctl" }, `${version}, ${script}`),
    isInRange(nodeVersion, nodeRange)
      ? passed(node, nodeVersion)
      : failed(node, `${nodeVersion} is none that keyctl is made for: ${nodeRange}`, "install Node 24"),
  ];
}

interface PathDeps {
  program: Pick<Program, "script">;
  files: FileInspector;
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
}

/** A file that a shell would run for `keyctl`. */
interface Candidate {
  path: string;
  what: "this" | "copy" | "other";
}

/** Which program a shell runs for `keyctl`: Linux's keyutils has one of this name. */
export async function checkPath(deps: PathDeps): Promise<Check[]> {
  const line = { id: "path", subject: "PATH" };
  return await checked(line, async () => {
    const [first, ...others] = await candidates(deps);
    if (first === undefined) return [passed(line, "has no keyctl: this one was started by its path")];
    const cure = `put the folder of this keyctl before it in PATH, or type ${deps.program.script}`;
    switch (first.what) {
      case "this": {
        const foreign = others.filter(({ what }) => what === "other").map(({ path }) => path);
        const more = foreign.length === 0 ? "" : `; ${foreign.join(", ")} is another program`;
        return [passed(line, `a shell runs ${first.path}, which is this keyctl${more}`)];
      }
      case "copy":
        return [doubtful(line, `a shell runs ${first.path}, another copy of keyctl`, cure)];
      case "other":
        return [
          doubtful(
            line,
            `a shell runs ${first.path}, another program: Linux's keyutils has one of this name`,
            cure,
          ),
        ];
    }
  });
}

async function candidates({ program, files, env, cwd }: PathDeps): Promise<Candidate[]> {
  const own = await files.realPath(program.script).catch(() => program.script);
  const found = new Map<string, Candidate>();
  // An empty entry is the working directory (POSIX, XBD 8.3).
  for (const folder of (env["PATH"] ?? "").split(delimiter)) {
    const path = resolve(cwd, folder, "keyctl");
    const facts = await files.facts(path).catch(() => null);
    if (facts?.kind !== "file" || (facts.mode & 0o111) === 0) continue;
    const real = await files.realPath(path);
    if (!found.has(real)) found.set(real, { path, what: await kindOf(real, own, files) });
  }
  return [...found.values()];
}

const headBytes = 4096;

/** Package managers put a link to the script into the PATH, or a few lines of shell that name it. */
async function kindOf(real: string, own: string, files: FileInspector): Promise<Candidate["what"]> {
  if (real === own) return "this";
  if (real.endsWith("/bin/keyctl.js")) return "copy";
  const head = await files.head(real, headBytes).catch(() => new Uint8Array());
  const text = Buffer.from(head).toString("latin1");
  return text.startsWith("#!") && text.includes("keyctl.js") ? "this" : "other";
}
