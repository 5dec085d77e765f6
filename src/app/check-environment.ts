import { isAbsolute } from "node:path";
import { nearestName } from "../core/near-name.ts";
import { doubtful, passed } from "./check.ts";
import type { Check } from "./check.ts";

/** Every variable of ours that something reads; docs/configuration.md says what for. */
const knownVariables = [
  "KEYCTL_PROFILE",
  "KEYCTL_STORE",
  "KEYCTL_VAULT",
  "KEYCTL_AUTH",
  "KEYCTL_TENANT",
  "KEYCTL_ENV",
  "KEYCTL_NAMING",
  "KEYCTL_HOME",
  "KEYCTL_PASSPHRASE_FD",
  "KEYCTL_PASSPHRASE_FILE",
  "KEYCTL_DEBUG",
];

const xdgVariables = ["XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"];

/** Variables that nobody reads because of their name, and those that mean another place in another folder. */
export function checkEnvironment(env: Readonly<Record<string, string | undefined>>): Check[] {
  const line = { id: "environment", subject: "environment" };
  const isSet = (name: string): boolean => (env[name] ?? "") !== "";
  const found = Object.keys(env)
    .filter((name) => name.toUpperCase().startsWith("KEYCTL_") && isSet(name))
    .toSorted();
  const unknown = found
    .filter((name) => !knownVariables.includes(name))
    .map((name) => {
      const near = nearestName(name, knownVariables);
      const cure =
        near === null ? `unset ${name}; keyctl help environment lists them` : `did you mean ${near}?`;
      return doubtful(line, `${name} is set, and keyctl does not read it`, cure);
    });
  const relative = xdgVariables
    .filter((name) => !isSet("KEYCTL_HOME") && isSet(name) && !isAbsolute(env[name] ?? ""))
    .map((name) =>
      doubtful(line, `${name} is not absolute, and does not count`, `set ${name} to a full path`),
    );
  const home =
    isSet("KEYCTL_HOME") && !isAbsolute(env["KEYCTL_HOME"] ?? "")
      ? [
          doubtful(
            line,
            "KEYCTL_HOME is not absolute: in another folder it is another home",
            "set KEYCTL_HOME to a full path",
          ),
        ]
      : [];
  const known = found.filter((name) => knownVariables.includes(name));
  const troubles = [...unknown, ...relative, ...home];
  if (troubles.length > 0) return troubles;
  return [passed(line, known.length === 0 ? "sets nothing for keyctl" : `sets ${known.join(", ")}`)];
}
