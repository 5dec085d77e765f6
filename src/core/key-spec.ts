import { KeyctlError } from "./errors.ts";
import { assertPrefix } from "./issued-key.ts";
import { encryptionTypes, secretTypes } from "./model.ts";
import type { KeyKind, KindFields } from "./model.ts";
import { isTier, tiers } from "./policy.ts";

/** What a person may say of a new key's kind-specific side; what is missing gets the kind's default. */
export type KindSpec = { [K in keyof KindFields]?: KindFields[K] | undefined };

const fieldsOf: Readonly<Record<KeyKind, readonly (keyof KindFields)[]>> = {
  issued: ["prefix", "tier", "scopes"],
  provider: ["provider", "preferredModel", "authorizedServices", "accessPolicy"],
  secret: ["type", "authorizedServices", "accessPolicy"],
  encryption: ["type", "algorithm", "purpose", "authorizedServices", "accessPolicy"],
};

/** Data ciphers an encryption key can name (C6). */
export const algorithms = ["AES-256-GCM", "AES-256-GCM-SIV", "XCHACHA20-POLY1305"] as const;

const flagOf: Record<keyof KindFields, string> = {
  prefix: "--prefix",
  tier: "--tier",
  scopes: "--scopes",
  provider: "--provider",
  preferredModel: "--preferred-model",
  type: "--type",
  algorithm: "--algorithm",
  purpose: "--purpose",
  authorizedServices: "--authorized-service",
  accessPolicy: "--access-policy",
};

/** The fields of a new key of this kind, defaults filled in. `usage` for a field that the kind does not have, or an unknown value. */
export function kindFields(kind: KeyKind, spec: KindSpec): KindFields {
  for (const field of Object.keys(flagOf) as (keyof KindFields)[]) {
    const value = spec[field];
    const given = value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0);
    if (given && !fieldsOf[kind].includes(field)) {
      throw new KeyctlError("usage", `${flagOf[field]} does not go with --kind ${kind}`, {
        hint: `of this kind are ${fieldsOf[kind].map((name) => flagOf[name]).join(", ")}`,
      });
    }
  }
  const fields: KindFields = {
    prefix: null,
    tier: null,
    scopes: spec.scopes ?? [],
    provider: spec.provider ?? null,
    preferredModel: spec.preferredModel ?? null,
    type: spec.type ?? null,
    algorithm: null,
    purpose: spec.purpose ?? null,
    authorizedServices: spec.authorizedServices ?? [],
    accessPolicy: spec.accessPolicy ?? null,
  };
  if (kind === "issued")
    return { ...fields, prefix: prefixOf(spec), tier: tierOf(spec), scopes: scopesOf(spec) };
  if (kind === "provider") return { ...fields, provider: providerOf(spec) };
  if (kind === "secret") return { ...fields, type: oneOf("--type", spec.type, secretTypes) };
  return {
    ...fields,
    type: oneOf("--type", spec.type, encryptionTypes),
    algorithm: oneOf("--algorithm", spec.algorithm ?? "AES-256-GCM", algorithms),
  };
}

function prefixOf(spec: KindSpec): string {
  const prefix = spec.prefix ?? "kc_live";
  assertPrefix(prefix);
  return prefix;
}

function tierOf(spec: KindSpec): string {
  const tier = spec.tier ?? "basic";
  if (isTier(tier)) return tier;
  throw new KeyctlError("usage", "--tier is none of the tiers", {
    hint: `one of ${Object.keys(tiers).join(", ")}`,
  });
}

function scopesOf(spec: KindSpec): string[] {
  const scopes = [...new Set(spec.scopes ?? [])];
  if (scopes.every((scope) => /^[A-Za-z0-9][A-Za-z0-9:._*/-]{0,99}$/.test(scope))) return scopes;
  throw new KeyctlError(
    "usage",
    "a scope starts with a letter or digit and is made of letters, digits and : . _ * / -, at most 100 of them",
    { hint: "for example --scopes read,orders:write" },
  );
}

function providerOf(spec: KindSpec): string {
  if (spec.provider != null && /^[a-z0-9][a-z0-9-]{0,39}$/.test(spec.provider)) return spec.provider;
  throw new KeyctlError("usage", "--kind provider needs --provider, the vendor's name in lower case", {
    hint: "for example --provider openai",
  });
}

function oneOf<T extends string>(flag: string, value: string | null | undefined, known: readonly T[]): T {
  const found = known.find((candidate) => candidate.toLowerCase() === (value ?? "").toLowerCase());
  if (found !== undefined) return found;
  throw new KeyctlError(
    "usage",
    value == null ? `${flag} is missing` : `${flag} has a value that is none of its own`,
    {
      hint: `one of ${known.join(", ")}`,
    },
  );
}

const ownerPattern = /^(?:app|company|user:[A-Za-z0-9][A-Za-z0-9._@+-]{0,127})$/;

/** Whether the text is `app`, `company` or `user:ID`. */
export function isOwner(text: string): boolean {
  return ownerPattern.test(text);
}

/** `app`, `company` or `user:ID`; `usage` otherwise. */
export function assertOwner(owner: string, flag = "--owner"): void {
  if (isOwner(owner)) return;
  throw new KeyctlError("usage", `${flag} is app, company or user:ID`, {
    hint: `for example ${flag} user:42`,
  });
}
