import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import ignore, { type Ignore } from "ignore";

/** The rules of one `.gitignore` (or `.git/info/exclude`), for paths below its directory. */
interface Level {
  directory: string;
  rules: Ignore;
}

/**
 * What git would ignore below a directory (gitignore(5)): the `.gitignore` files of every directory from the repository's
 * top down, and the repository's `info/exclude`; not the user's global list. The deepest file that says something of a path
 * decides. That git tracks a file all the same is not looked at.
 */
export class IgnoreRules {
  readonly #levels: readonly Level[];

  private constructor(levels: readonly Level[]) {
    this.#levels = levels;
  }

  /** The rules that hold in `directory`, those of its parents up to the repository's top included. */
  static at(directory: string): IgnoreRules {
    const here = resolve(directory);
    const top = repositoryTop(here);
    if (top === null) return new IgnoreRules([]).inside(here);
    const exclude = readRules(join(top, ".git", "info", "exclude"));
    let rules = new IgnoreRules(exclude === null ? [] : [{ directory: top, rules: exclude }]).inside(top);
    const steps = relative(top, here)
      .split(sep)
      .filter((step) => step !== "");
    let at = top;
    for (const step of steps) {
      at = join(at, step);
      rules = rules.inside(at);
    }
    return rules;
  }

  /** The same rules and those of this directory's own `.gitignore`. */
  inside(directory: string): IgnoreRules {
    const rules = readRules(join(directory, ".gitignore"));
    return rules === null
      ? this
      : new IgnoreRules([...this.#levels, { directory: resolve(directory), rules }]);
  }

  /** True when git would not look at the path. Its parents must have been asked before: what is below an ignored one is not asked. */
  ignores(path: string, isDirectory: boolean): boolean {
    for (const { directory, rules } of this.#levels.toReversed()) {
      const inside = relative(directory, resolve(path)).split(sep).join("/");
      const verdict = rules.test(isDirectory ? `${inside}/` : inside);
      if (verdict.unignored) return false;
      // A verdict that comes from a parent was overruled by a deeper file, else the walk would not be here.
      if (verdict.ignored && !parentIgnored(rules, inside)) return true;
    }
    return false;
  }
}

function parentIgnored(rules: Ignore, inside: string): boolean {
  const parent = inside.slice(0, inside.lastIndexOf("/") + 1);
  return parent !== "" && rules.test(parent).ignored;
}

function repositoryTop(from: string): string | null {
  for (let at = from; ; at = dirname(at)) {
    if (existsSync(join(at, ".git"))) return at;
    if (dirname(at) === at) return null;
  }
}

function readRules(path: string): Ignore | null {
  try {
    return ignore({ ignorecase: false }).add(readFileSync(path, "utf8"));
  } catch {
    // No such file, or one that cannot be read: then more is scanned, not less.
    return null;
  }
}
