import { cleanText } from "./foreign-text.ts";

/** The command as a person can type it again in a POSIX shell, some flags left out (with their value) and others added. */
export function commandLine(
  argv: readonly string[],
  change: { without: readonly string[]; add: readonly string[] },
): string {
  const valued = new Set(["--confirm"]);
  const kept: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? "";
    if (word === "--") {
      // What follows is no flag: the added ones must stand before it.
      return ["keyctl", ...kept, ...change.add, ...argv.slice(i)].map(quoted).join(" ");
    }
    const flag = word.split("=", 1)[0] ?? "";
    if (!change.without.includes(flag)) kept.push(word);
    else if (flag === word && valued.has(flag)) i++;
  }
  return ["keyctl", ...kept, ...change.add].map(quoted).join(" ");
}

/** A word that a POSIX shell reads back as it is. */
export function quoted(word: string): string {
  const clean = cleanText(word);
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(clean) ? clean : `'${clean.replaceAll("'", `'\\''`)}'`;
}
