import type { CreateKeyInput } from "../../app/create-key.ts";
import { KeyctlError } from "../../core/errors.ts";
import { generatedCharactersDefault } from "../../core/generate-secret.ts";
import { keyKinds } from "../../core/model.ts";
import type { KeyKind } from "../../core/model.ts";
import type { CommandContext } from "../context.ts";
import type { CommandDefinition, CommandInput, OptionDefinition } from "../command.ts";
import { fromFileOption, readSecret } from "../secret-input.ts";
import { readPath } from "./target.ts";

const options: readonly OptionDefinition[] = [
  { name: "kind", value: "KIND", choices: keyKinds, summary: "what kind of key", defaultText: "issued" },
  { name: "prefix", value: "TEXT", summary: "issued: how the key begins", defaultText: "kc_live" },
  {
    name: "tier",
    value: "TIER",
    choices: ["basic", "premium", "enterprise"],
    summary: "issued: its rate tier",
    defaultText: "basic",
  },
  { name: "scopes", value: "A,B", summary: "issued: what it allows, separated by commas" },
  { name: "provider", value: "NAME", summary: "provider: whose key it is (openai, anthropic …)" },
  { name: "preferred-model", value: "MODEL", summary: "provider: the model it is meant for" },
  {
    name: "type",
    value: "TYPE",
    summary: "secret: db-credential, jwt-secret …; encryption: PHI_DATA, PII_DATA …",
  },
  { name: "algorithm", value: "NAME", summary: "encryption: the data cipher", defaultText: "AES-256-GCM" },
  { name: "purpose", value: "TEXT", summary: "encryption: what it protects" },
  {
    name: "authorized-service",
    value: "NAME",
    repeatable: true,
    summary: "a service that may use it; without any, all may",
  },
  { name: "access-policy", value: "NAME", summary: "the access policy it falls under" },
  fromFileOption,
  { name: "generate", summary: "secret: draw a value instead of reading one" },
  {
    name: "length",
    value: "N",
    summary: "characters of a generated value",
    defaultText: String(generatedCharactersDefault),
  },
  { name: "owner", value: "WHO", summary: "app, company or user:ID", defaultText: "app; of a user, its own" },
  { name: "tag", value: "K=V", repeatable: true, summary: "a tag" },
  {
    name: "compliance-tag",
    value: "NAME",
    repeatable: true,
    summary: "a regime it falls under (HIPAA, PCI …)",
  },
  { name: "description", value: "TEXT", summary: "what it is for" },
  { name: "expires", value: "WHEN", summary: "a lifetime for every version (90d), or a date for the first" },
  {
    name: "grace",
    value: "FOR",
    summary: "how long a replaced version stays accepted",
    defaultText: "24h; provider 0",
  },
  { name: "rotate-every", value: "FOR", summary: "when a rotation is due" },
];

export const createCommand: CommandDefinition = {
  name: "create",
  section: "Keys",
  summary: "make a key and its first version",
  description:
    "An issued key is printed once: alone on stdout, as the field `secret` in JSON, or into --out-file before it becomes active. Values of other kinds are read, never printed.",
  arguments: [{ name: "NAME", summary: "name, env/name or tenant/env/name", required: true }],
  options,
  examples: [
    { command: "keyctl create payments --scopes read,write --expires 90d", does: "issue an API key" },
    {
      command: "keyctl create openai-main --kind provider --provider openai --from-file key.txt",
      does: "keep a provider's key, sealed",
    },
    {
      command: "keyctl create orders-db --kind secret --type db-credential --generate",
      does: "draw a password and keep it in the vault",
    },
    {
      command: "keyctl create patients --kind encryption --type PHI_DATA",
      does: "a key that wraps data keys",
    },
  ],
  danger: "mild",
  mutation: "idempotent",
  outFile: "own",
  run: async (context, input) => {
    const { createKey, planCreate } = await import("../../app/create-key.ts");
    const { assertFormatShowsSecret } = await import("../secret-output.ts");
    const { showMade, showPlanned } = await import("./made-version.ts");
    const kind = input.flags.choice("kind", keyKinds) ?? "issued";
    if (kind === "issued") assertFormatShowsSecret(context);
    if (kind !== "issued" && context.globals.outFile !== null) {
      throw new KeyctlError(
        "usage",
        `--out-file takes an issued key: a key of kind ${kind} is never printed`,
      );
    }
    const request = await readRequest(context, input, kind);
    if (context.globals.dryRun) {
      const session = await context.session();
      await showPlanned(context, await planCreate(session, request), { would: "create", version: 1 });
      return "ok";
    }
    // A named profile's store was made by `init`: an empty one in its place would hide that it is gone.
    const { profile } = (await context.place()).settings;
    const session = await context.session({ make: profile.value === "default" });
    await showMade(context, await createKey(session, request), "created");
    return "ok";
  },
};

async function readRequest(
  context: CommandContext,
  input: CommandInput,
  kind: KeyKind,
): Promise<CreateKeyInput> {
  const { flags, args } = input;
  const path = readPath(args[0] ?? "", flags);
  const expiry = flags.expiry("expires");
  const generateLength = readGenerate(input);
  const takesValue = (kind === "provider" || kind === "secret") && generateLength === null;
  const secret =
    takesValue || flags.has("from-file") ? await readSecret({ ...context, flags }, `Value of ${path}`) : null;
  return {
    path,
    kind,
    spec: {
      prefix: flags.text("prefix"),
      tier: flags.text("tier"),
      scopes: flags.parts("scopes"),
      provider: flags.text("provider"),
      preferredModel: flags.text("preferred-model"),
      type: flags.text("type"),
      algorithm: flags.text("algorithm"),
      purpose: flags.text("purpose"),
      authorizedServices: flags.list("authorized-service"),
      accessPolicy: flags.text("access-policy"),
    },
    policy: {
      lifetimeMs: expiry !== null && "lifetimeMs" in expiry ? expiry.lifetimeMs : null,
      graceMs: flags.duration("grace"),
      rotateEveryMs: flags.duration("rotate-every"),
    },
    expiresAt: expiry !== null && "at" in expiry ? expiry.at : null,
    owner: flags.text("owner"),
    tags: flags.pairs("tag"),
    complianceTags: flags.list("compliance-tag"),
    description: flags.text("description"),
    secret,
    generateLength,
    outFile: context.globals.outFile,
    options: context.mutationOptions(),
  };
}

/** `--generate` and `--length`; null without `--generate`. */
export function readGenerate({ flags }: CommandInput): number | null {
  const length = flags.integer("length");
  if (flags.on("generate")) return length ?? generatedCharactersDefault;
  if (length !== null) throw new KeyctlError("usage", "--length goes with --generate");
  return null;
}
