import { nameCharactersMax } from "./key-name.ts";
import type { EncryptionType, KeyKind, SecretType } from "./model.ts";

/** What happens to a new key whose name does not follow the convention: nothing, a warning, or a refusal. */
export const namingModes = ["off", "warn", "enforce"] as const;
export type NamingMode = (typeof namingModes)[number];

/** What the convention looks at. */
export interface NamedKey {
  env: string;
  name: string;
  kind: KeyKind;
  /** Of a secret or an encryption key. */
  type: string | null;
}

/** The convention, in words. */
export const namingPattern = "{environment}-{service}-{type}";

/** The last word of a name, by kind and type; the first one is suggested. */
const secretWords: Readonly<Record<SecretType, readonly [string, ...string[]]>> = {
  "api-key": ["api", "key"],
  "db-credential": ["db"],
  "jwt-secret": ["jwt"],
  "encryption-key": ["enc"],
  "third-party": ["ext"],
  certificate: ["cert", "tls"],
};
const encryptionWords: Readonly<Record<EncryptionType, readonly [string, ...string[]]>> = {
  PHI_DATA: ["phi"],
  PII_DATA: ["pii"],
  FINANCIAL: ["fin"],
  CLINICAL: ["clinical"],
  AUDIT_LOG: ["audit"],
  BACKUP: ["backup"],
  COMMUNICATION: ["comm"],
};
const kindWords: Readonly<Record<KeyKind, readonly [string, ...string[]]>> = {
  issued: ["api", "token"],
  provider: ["key", "llm"],
  secret: ["secret"],
  encryption: ["enc"],
};

/** The words with which the name of such a key may end. */
export function typeWords({ kind, type }: Pick<NamedKey, "kind" | "type">): readonly [string, ...string[]] {
  const words: Readonly<Record<string, readonly [string, ...string[]]>> =
    kind === "secret" ? secretWords : kind === "encryption" ? encryptionWords : {};
  return (type === null ? undefined : words[type]) ?? kindWords[kind];
}

/** True when the name is the key's environment, one or more words of `a-z0-9`, and a word of its type, joined by `-`. */
export function followsNaming(key: NamedKey): boolean {
  const lead = `${key.env}-`;
  if (!key.name.toLowerCase().startsWith(lead.toLowerCase())) return false;
  const words = key.name.slice(lead.length).split("-");
  const last = words.pop() ?? "";
  return words.length > 0 && words.every((word) => /^[a-z0-9]+$/.test(word)) && typeWords(key).includes(last);
}

/** A name near the given one that follows the convention; null when the environment leaves no room for one. */
export function suggestName(key: NamedKey): string | null {
  const types = typeWords(key);
  const env = key.env.toLowerCase();
  const given = key.name.replaceAll(/([a-z0-9])([A-Z])/g, "$1-$2").toLowerCase();
  const hasLead = given.startsWith(`${env}-`);
  const words = (hasLead ? given.slice(env.length + 1) : given)
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "");
  // Nothing but signs stood behind the environment.
  if (words.length === 0) words.push("app");
  if (!hasLead && words.length > 1 && words[0] === env) words.shift();
  const type = words.length > 1 && types.includes(words.at(-1) ?? "") ? words.pop() : types[0];
  const room = nameCharactersMax - `${env}--${type ?? ""}`.length;
  const service = words.join("-").slice(0, Math.max(room, 0)).replace(/-$/, "");
  return service === "" ? null : `${env}-${service}-${type ?? ""}`;
}
