import { describe, expect, it } from "vitest";
import type { CommandDefinition, OptionDefinition } from "../../src/cli/command.ts";
import { Flags } from "../../src/cli/flags.ts";
import { wantsJson } from "../../src/cli/global-flags.ts";
import { formatHelp } from "../../src/cli/help.ts";
import { parseCommandLine } from "../../src/cli/parse.ts";
import type { Parsed } from "../../src/cli/parse.ts";
import { commandsReference, exitCodesReference } from "../../src/cli/reference.ts";
import { commands as tree } from "../../src/cli/tree.ts";
import { KeyctlError } from "../../src/core/errors.ts";

function verb(name: string, part: Partial<CommandDefinition> = {}): CommandDefinition {
  return {
    name,
    section: "Keys",
    summary: `${name} keys`,
    arguments: [{ name: "NAME", summary: "which key", required: true }],
    options: [
      { name: "from-file", value: "PATH", summary: "a file" },
      { name: "tag", value: "K=V", summary: "a tag", repeatable: true },
      { name: "generate", summary: "draw one" },
      { name: "version", value: "N", summary: "which one", choices: ["1", "2"], defaultText: "1" },
    ],
    examples: [
      { command: `keyctl ${name} prod/payments`, does: "as usual" },
      { command: `keyctl ${name} dev/payments`, does: "elsewhere" },
    ],
    danger: "none",
    mutation: "yes",
    run: async () => await Promise.resolve("ok" as const),
    ...part,
  };
}

const commands = [
  verb("create", { danger: "moderate" }),
  verb("list", { arguments: [], options: [], mutation: "no" }),
  verb("show", { options: [], mutation: "no" }),
  verb("rotate"),
  verb("revoke", {
    danger: "severe",
    arguments: [{ name: "NAME", summary: "which", required: false, variadic: true }],
  }),
  verb("audit-list", { arguments: [], options: [], mutation: "no", section: "Audit" }),
  verb("exec", {
    arguments: [{ name: "CMD", summary: "the program", required: true, variadic: true, verbatim: true }],
    options: [{ name: "variable", short: "e", value: "VAR=NAME", summary: "which", repeatable: true }],
    examples: [
      { command: "keyctl exec -e A=payments -- env", does: "as usual" },
      { command: "keyctl exec -e A=payments -- make", does: "elsewhere" },
    ],
  }),
  verb("tenant create", { section: "Team", arguments: [{ name: "NAME", summary: "new", required: true }] }),
  verb("tenant list", { section: "Team", arguments: [], options: [], mutation: "no" }),
  verb("actor list", { section: "Team", arguments: [], options: [], mutation: "no" }),
];

const parse = (...argv: string[]): Parsed => parseCommandLine(argv, commands);

const help = (topic: string | null): string =>
  formatHelp({ topic, man: false, columns: null, version: "1" }, commands);

function refusal(...argv: string[]): { message: string; hint: string | undefined } {
  try {
    parse(...argv);
  } catch (error) {
    if (!(error instanceof KeyctlError)) throw error;
    expect(error.code).toBe("usage");
    return { message: error.message, hint: error.hint };
  }
  throw new Error(`${argv.join(" ")} was understood`);
}

describe("a command line", () => {
  it("is a verb, its arguments and its flags", () => {
    const parsed = parse("create", "x", "--tag", "a=1", "--tag=b=2", "--generate");
    if (parsed.kind !== "run") throw new Error("not a run");
    expect(parsed.args).toEqual(["x"]);
    expect(parsed.flags.pairs("tag")).toEqual({ a: "1", b: "2" });
    expect(parsed.flags.on("generate")).toBe(true);
    expect(parsed.flags.has("from-file")).toBe(false);
  });

  it("takes words after -- as arguments, and - as one", () => {
    expect(parse("revoke", "--", "--tag", "-x")).toMatchObject({ args: ["--tag", "-x"] });
    expect(parse("revoke", "-")).toMatchObject({ args: ["-"] });
  });

  it("may ask for the version alone; a verb's own --version is its own", () => {
    expect(parse("--version")).toEqual({ kind: "version" });
    expect(parse("version")).toEqual({ kind: "version" });
    expect(parse("rotate", "x", "--version", "2")).toMatchObject({ kind: "run" });
  });

  it("asks for help in every way that people try", () => {
    expect(parse()).toEqual({ kind: "help", topic: null, man: false });
    expect(parse("--help")).toEqual({ kind: "help", topic: null, man: false });
    expect(parse("help", "rotate")).toEqual({ kind: "help", topic: "rotate", man: false });
    expect(parse("rotate", "-h")).toEqual({ kind: "help", topic: "rotate", man: false });
    expect(parse("help", "rotate", "--man")).toEqual({ kind: "help", topic: "rotate", man: true });
    expect(parse("help", "-o", "json", "rotate")).toMatchObject({ topic: "rotate" });
    expect(refusal("help", "rotate", "--mann").hint).toBe("did you mean --man?");
    expect(parse("--help", "rotate", "x")).toEqual({ kind: "help", topic: "rotate", man: false });
  });
});

describe("a verb of two words", () => {
  it("takes global flags before it, between its words and after it, the later ones winning", () => {
    const parsed = parse("--env", "a", "-y", "tenant", "--env=b", "-ojson", "create", "acme", "--env", "c");
    if (parsed.kind !== "run") throw new Error("not a run");
    expect([parsed.command.name, parsed.args]).toEqual(["tenant create", ["acme"]]);
    const { flags } = parsed;
    expect([flags.text("env"), flags.on("yes"), flags.text("output")]).toEqual(["c", true, "json"]);
  });

  it("has a help page, and so has its group", () => {
    for (const argv of [
      ["help", "tenant", "create"],
      ["tenant", "create", "--help"],
      ["tenant", "-h", "create", "x"],
      ["-h", "tenant", "create"],
    ])
      expect(parse(...argv)).toEqual({ kind: "help", topic: "tenant create", man: false });
    for (const argv of [
      ["help", "tenant"],
      ["tenant", "--help"],
      ["--help", "tenant"],
      ["tenant", "help"],
    ])
      expect(parse(...argv)).toEqual({ kind: "help", topic: "tenant", man: false });
    expect(help("tenant create")).toContain("Usage: keyctl tenant create NAME [flags]");
    expect(help("tenant")).toContain("  tenant create  tenant create keys\n  tenant list");
  });

  it("is asked for when only its group was typed", () => {
    expect(refusal("tenant")).toEqual({
      message: "tenant needs a command: create, list",
      hint: "keyctl help tenant",
    });
    expect(refusal("tenant", "--env", "dev").message).toBe("tenant needs a command: create, list");
    expect(refusal("tenant", "--name", "x").message).toBe("tenant has no flag --name");
  });

  it("is suggested within its group, and for words of other tools", () => {
    expect(refusal("tenant", "ls").hint).toBe("did you mean keyctl tenant list?");
    expect(refusal("tenant", "creat", "x").hint).toBe("did you mean keyctl tenant create?");
    expect(refusal("tenant", "bananas")).toEqual({
      message: "there is no command tenant bananas",
      hint: "keyctl help tenant lists them",
    });
    expect(refusal("tenants").hint).toBe("did you mean keyctl tenant?");
    expect(refusal("tenant-create", "x").hint).toBe("did you mean keyctl tenant create?");
    expect(refusal("add", "tenant").hint).toBe("did you mean keyctl tenant create?");
    expect(refusal("ls", "actor").hint).toBe("did you mean keyctl actor list?");
    expect(refusal("audit", "list").hint).toBe("did you mean keyctl audit-list?");
    expect(() => help("tenant bananas")).toThrow("there is no command tenant bananas");
  });
});

describe("the words behind --", () => {
  it("reach another program as they were typed", () => {
    const words = ["cmd", "", " ", "--env", "x", "-o", "json", "--", "--help", "-y"];
    const parsed = parse("exec", "-e", "A=payments", "--env", "dev", "--", ...words);
    if (parsed.kind !== "run") throw new Error("not a run");
    expect(parsed.args).toEqual(words);
    expect([parsed.flags.text("env"), parsed.flags.on("yes")]).toEqual(["dev", false]);
    expect(parsed.flags.list("variable")).toEqual(["A=payments"]);
  });

  it("are asked for where a program is needed", () => {
    const missing = { message: "exec needs CMD behind --", hint: "keyctl exec -e A=payments -- env" };
    expect(refusal("exec", "-e", "A=payments")).toEqual(missing);
    expect(refusal("exec", "-e", "A=payments", "--")).toEqual(missing);
    expect(refusal("exec", "-e", "A=payments", "cmd")).toEqual(missing);
    expect(refusal("exec", "-e", "A=payments", "cmd", "--", "x")).toEqual(missing);
    expect(help("exec")).toContain("Usage: keyctl exec [flags] -- CMD…");
  });

  it("are no value of a flag, and no command", () => {
    expect(refusal("create", "x", "--reason", "--", "y").message).toBe("--reason needs a value");
    expect(refusal("--", "list").message).toBe("there is no command before --");
    expect(refusal("show", "--", "").message).toBe("an argument is empty");
  });
});

describe("what is not understood", () => {
  it("gets the verb that was meant", () => {
    expect(refusal("get", "x").hint).toBe("did you mean keyctl show?");
    expect(refusal("ls").hint).toBe("did you mean keyctl list?");
    expect(refusal("rm", "x").hint).toBe("did you mean keyctl revoke?");
    expect(refusal("disable").hint).toBe("did you mean keyctl revoke?");
    expect(refusal("rotat", "x").hint).toBe("did you mean keyctl rotate?");
    expect(refusal("man", "list").hint).toBe("did you mean keyctl help?");
    expect(refusal("users").hint).toBe("did you mean keyctl actor list?");
    expect(refusal("project").hint).toBe("did you mean keyctl tenant?");
    expect(refusal("env").hint).toBe("did you mean keyctl exec?");
    expect(refusal("constructor").hint).toBe("keyctl help lists them");
    expect(refusal("bananas").hint).toBe("keyctl help lists them");
    expect(() => help("rotat")).toThrow("there is no command rotat");
  });

  it("gets the flag that was meant", () => {
    expect(refusal("create", "x", "--generat").hint).toBe("did you mean --generate?");
    expect(refusal("create", "x", "--zzzzzz").hint).toBe("keyctl create --help");
    expect(refusal("create", "x", "-q").message).toBe("create has no flag -q");
    expect(refusal("--nope", "list").message).toBe("keyctl has no flag --nope");
  });

  it("is told when an argument or a value is missing or empty", () => {
    expect(refusal("rotate")).toEqual({ message: "rotate needs NAME", hint: "keyctl rotate prod/payments" });
    expect(refusal("rotate", "").message).toBe("an argument is empty");
    expect(refusal("create", "x", "--tag").message).toBe("--tag needs a value");
    expect(refusal("list", "-o").message).toBe("--output needs a value");
    expect(refusal("create", "x", "--reason", "--yes").message).toBe("--reason needs a value");
    expect(refusal("list", "x").hint).toBe("keyctl list --help");
  });
});

describe("words of other tools", () => {
  // What every release has; verbs that come later must not take a suggestion away.
  const words = {
    get: "reveal", read: "reveal", ls: "list", run: "exec", env: "exec", health: "status", check: "doctor",
    whoami: "doctor", login: "init", man: "help", scan: "leak-scan", log: "audit-list", profiles: "profile list",
  } as const; // prettier-ignore

  it.each(Object.entries(words))("%s means %s", (typed, meant) => {
    expect(() => parseCommandLine([typed], tree)).toThrow(
      expect.objectContaining({ hint: `did you mean keyctl ${meant}?` }),
    );
  });
});

describe("a secret on the command line", () => {
  const secret = ["sk", "live", "0123456789"].join("-");

  it("is refused with the reason and never repeated", () => {
    for (const argv of [
      ["create", "x", secret],
      ["create", "x", `--secret=${secret}`],
      ["create", "x", "--password", secret],
      ["create", "x", `--unknown=${secret}`],
      ["create", "x", `-${secret}`],
      ["list", secret],
      [`--token=${secret}`, "list"],
      [`${secret}!`],
    ]) {
      const { message, hint } = refusal(...argv);
      expect(`${message} ${hint}`).not.toContain("0123456789");
    }
    expect(refusal("create", "x", secret).hint).toContain("a secret never goes on the command line");
    expect(refusal("create", "x", "--value", secret).hint).toContain("--from-file - from stdin");
  });
});

describe("flags", () => {
  const options: OptionDefinition[] = ["a", "b", "c"].map((name) => ({
    name,
    value: "V",
    summary: name,
    repeatable: name === "c",
  }));
  const flags = (value: string): Flags => new Flags(options, new Map([["a", value]]));

  it("are read as what they must be, and refused otherwise", () => {
    expect(flags("12").integer("a")).toBe(12);
    expect(flags("0").integer("a", 0)).toBe(0);
    for (const bad of ["0", "-1", "1.5", "1e3", " 1", "0x10", "9".repeat(20)])
      expect(() => flags(bad).integer("a")).toThrow("whole number");
    expect(flags("90d").duration("a")).toBe(90 * 86_400_000);
    expect(flags("90d").expiry("a")).toEqual({ lifetimeMs: 90 * 86_400_000 });
    expect(flags("1h").moment("a", 3_600_001)).toBe(1);
    expect(flags("2027-01-31").moment("a", 0)).toBe(Date.UTC(2027, 0, 31));
    expect(() => flags("soon").duration("a")).toThrow("--a: that is no duration");
    expect(flags("ACTIVE").choice("a", ["active", "expired"])).toBe("active");
    expect(() => flags("no").choice("a", ["x"])).toThrow("none of its own");
    expect(flags("r, w,,").parts("a")).toEqual(["r", "w"]);
    expect(flags("x").required("a")).toBe("x");
  });

  it("that are absent are null or empty, and required ones are asked for", () => {
    expect([
      flags("x").text("b"),
      flags("x").integer("b"),
      flags("x").duration("b"),
      flags("x").expiry("b"),
    ]).toEqual([null, null, null, null]);
    expect([flags("x").moment("b", 0), flags("x").choice("b", ["x"])]).toEqual([null, null]);
    expect([flags("x").parts("b"), flags("x").list("c"), flags("x").pairs("c")]).toEqual([[], [], {}]);
    expect(() => flags("x").required("b")).toThrow("--b is missing");
  });

  it("that are empty are a script's unset variable", () => {
    expect(() => flags(" ").text("a")).toThrow("--a is empty");
    expect(() => new Flags(options, new Map([["c", [""]]])).list("c")).toThrow("--c is empty");
  });

  it("of pairs refuse what is no pair, and the same key twice", () => {
    const pairs = (...list: string[]): Flags => new Flags(options, new Map([["c", list]]));
    expect(pairs("a=b=c").pairs("c")).toEqual({ a: "b=c" });
    expect(() => pairs("a").pairs("c")).toThrow("takes key=value");
    expect(() => pairs("=a").pairs("c")).toThrow("takes key=value");
    expect(() => pairs("a=1", "a=2").pairs("c")).toThrow("same key twice");
    expect(Object.keys(pairs("__proto__=1").pairs("c"))).toEqual(["__proto__"]);
  });

  it("that a command did not declare are a bug", () => {
    expect(() => flags("x").text("nope")).toThrow("does not declare --nope");
  });

  it("ask for JSON in every spelling, before they are understood", () => {
    for (const argv of [["-o", "json"], ["-ojson"], ["--output=json"], ["x", "--format", "jsonl"]])
      expect(wantsJson(argv)).toBe(true);
    for (const argv of [["-o", "table"], ["--", "-o", "json"], ["json"], ["-o"]])
      expect(wantsJson(argv)).toBe(false);
  });
});

describe("help", () => {
  it("names every verb, every flag, and how a script answers", () => {
    const overview = help(null);
    for (const { name } of commands) expect(overview).toContain(`  ${name} `);
    expect(overview).toMatch(/Keys\n {2}create [^]*\nAudit\n {2}audit-list [^]*\nTeam\n {2}tenant create /);
    expect(help("help")).toBe(overview);
    const page = help("create");
    expect(page).toContain("Usage: keyctl create NAME [flags]");
    expect(page).toContain("--if-revision N");
    expect(page).toContain("scripts pass --yes");
    expect(page).toContain("  # as usual\n  keyctl create prod/payments");
    expect(help("revoke")).toContain("keyctl revoke [NAME…]");
    expect(help("revoke")).toContain("--confirm");
    expect(help("exit-codes")).toContain(" 12  indeterminate");
  });

  it("is the reference too", () => {
    const reference = commandsReference(commands);
    expect(reference).toContain("| `--version N` | which one: 1, 2 (default 1) |");
    expect(reference).toContain("[revoke](#revoke)");
    expect(reference).toMatch(/\| \*\*Team\*\* \| \|\n\| \[tenant create\]\(#tenant-create\) \|/);
    expect(reference).not.toContain("--format FORMAT");
    expect(exitCodesReference()).toContain("| 130 | interrupted |");
  });
});
