import { parseDuration, parseExpiry } from "../core/duration.ts";
import type { Expiry } from "../core/duration.ts";
import { isKeyctlError, KeyctlError } from "../core/errors.ts";
import type { OptionDefinition } from "./command.ts";

const integerPattern = /^(?:0|[1-9][0-9]{0,14})$/;

/** `usage` for an empty value: it is an unset variable of a script. */
export function assertValue(name: string, value: string): void {
  if (value.trim() !== "") return;
  throw new KeyctlError("usage", `--${name} is empty`, { hint: "is a variable of the script unset?" });
}

/** The flags of one call, read by name and checked as they are read; a name that the command did not declare is a bug. */
export class Flags {
  readonly #values: ReadonlyMap<string, string | true | readonly string[]>;
  readonly #options: ReadonlyMap<string, OptionDefinition>;

  constructor(
    options: readonly OptionDefinition[],
    values: ReadonlyMap<string, string | true | readonly string[]>,
  ) {
    this.#options = new Map(options.map((option) => [option.name, option]));
    this.#values = values;
  }

  /** True when it was given at all. */
  has(name: string): boolean {
    return this.#read(name) !== undefined;
  }

  /** True when a switch was given. */
  on(name: string): boolean {
    return this.#read(name) === true;
  }

  /** The value, or null; an empty one is `usage`. */
  text(name: string): string | null {
    const value = this.#read(name);
    if (typeof value !== "string") return null;
    assertValue(name, value);
    return value;
  }

  /** The value of a flag that must be there. */
  required(name: string): string {
    const value = this.text(name);
    if (value === null) throw new KeyctlError("usage", `--${name} is missing`);
    return value;
  }

  /** Every value of a repeatable flag, in order. */
  list(name: string): string[] {
    const value = this.#read(name);
    const values = Array.isArray(value) ? [...value] : [];
    for (const each of values) assertValue(name, each);
    return values;
  }

  /** A comma-separated list; blanks around the parts are dropped. */
  parts(name: string): string[] {
    const text = this.text(name);
    return text === null
      ? []
      : text
          .split(",")
          .map((part) => part.trim())
          .filter((part) => part !== "");
  }

  /** One of these words, in their own spelling; case does not matter. */
  choice<const T extends string>(name: string, choices: readonly T[]): T | null {
    const text = this.text(name);
    return text === null ? null : this.#chosen(name, text, choices);
  }

  /** Every value of a repeatable flag, each one of these words. */
  choiceList<const T extends string>(name: string, choices: readonly T[]): T[] {
    return this.list(name).map((text) => this.#chosen(name, text, choices));
  }

  /** A whole number from `min` (1 if not given) upwards. */
  integer(name: string, min = 1): number | null {
    const text = this.text(name);
    if (text === null) return null;
    const value = Number(text);
    if (integerPattern.test(text) && value >= min) return value;
    throw new KeyctlError("usage", `--${name} is a whole number from ${min} upwards`);
  }

  /** `90d`, `24h`, `30m`, `0` …: milliseconds. */
  duration(name: string): number | null {
    return this.#parsed(name, parseDuration);
  }

  /** A duration, or a date: a lifetime in milliseconds, or a moment. */
  expiry(name: string): Expiry | null {
    return this.#parsed(name, parseExpiry);
  }

  /** A date or time, or a duration counted back from `now`: milliseconds since the epoch. */
  moment(name: string, now: number): number | null {
    const expiry = this.#parsed(name, parseExpiry);
    if (expiry === null) return null;
    return "at" in expiry ? expiry.at : now - expiry.lifetimeMs;
  }

  /** `k=v` pairs of a repeatable flag; a key given twice is `usage`. */
  pairs(name: string): Record<string, string> {
    const pairs = new Map<string, string>();
    for (const text of this.list(name)) {
      const cut = text.indexOf("=");
      const key = text.slice(0, cut).trim();
      if (cut < 1 || key === "")
        throw new KeyctlError("usage", `--${name} takes key=value`, {
          hint: `for example --${name} team=payments`,
        });
      if (pairs.has(key)) throw new KeyctlError("usage", `--${name} names the same key twice`);
      pairs.set(key, text.slice(cut + 1));
    }
    return Object.fromEntries(pairs);
  }

  /** An error names the flag that it is about. */
  #parsed<T>(name: string, parse: (text: string) => T): T | null {
    const text = this.text(name);
    if (text === null) return null;
    try {
      return parse(text);
    } catch (error) {
      if (!isKeyctlError(error)) throw error;
      throw new KeyctlError(error.code, `--${name}: ${error.message}`, {
        hint: error.hint ?? `see --help for --${name}`,
      });
    }
  }

  #chosen<T extends string>(name: string, text: string, choices: readonly T[]): T {
    const found = choices.find((choice) => choice.toLowerCase() === text.toLowerCase());
    if (found !== undefined) return found;
    throw new KeyctlError("usage", `--${name} has a value that is none of its own`, {
      hint: `one of ${choices.join(", ")}`,
    });
  }

  #read(name: string): string | true | readonly string[] | undefined {
    if (!this.#options.has(name)) throw new Error(`the command does not declare --${name}`);
    return this.#values.get(name);
  }
}
