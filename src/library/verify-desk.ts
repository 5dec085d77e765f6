import type { Caller, Deps } from "../app/deps.ts";
import { describeVerification } from "../app/describe-verification.ts";
import type { VerifyResult } from "../app/describe-verification.ts";
import { invalid } from "../app/judge-key.ts";
import type { JudgeableRow, Verification } from "../app/judge-key.ts";
import type { Clock } from "../app/ports.ts";
import type { UsageLog } from "../app/usage-log.ts";
import { Verifier } from "../app/verifier.ts";
import { mayDo } from "../core/access.ts";
import { KeyctlError } from "../core/errors.ts";
import { Secret } from "../core/secret.ts";
import type { VerifyOptions } from "./keyring.ts";
import type { LiveCaller } from "./live-caller.ts";

interface DeskDeps {
  session: Deps & { stopwatch: Clock };
  live: LiveCaller;
  usage: UsageLog;
  /** Begins to write what was noted, and does not wait for it. */
  flushSoon: () => void;
}

/** No issued key is nearly as long; nothing longer is copied. */
const presentedMax = 1_024;
const requestId = /^[\x21-\x7e]{1,64}$/;
const ipMax = 64;
const userAgentMax = 512;

/** Takes what programs present, has it judged, and notes what came of it. */
export class VerifyDesk {
  readonly #deps: DeskDeps;
  readonly #verifier: Verifier;

  private constructor(deps: DeskDeps) {
    this.#deps = deps;
    this.#verifier = new Verifier(deps.session);
  }

  /** Ready to judge: `unavailable` without the vault, `forbidden` for a role that opens no keys. */
  static async open(deps: DeskDeps): Promise<VerifyDesk> {
    const desk = new VerifyDesk(deps);
    await deps.live.now();
    await desk.#verifier.prepare();
    return desk;
  }

  /** As `Keyring.verify`. */
  async verify(secret: unknown, options: VerifyOptions): Promise<VerifyResult> {
    const scopes = scopesOf(options);
    const caller = await this.#deps.live.now();
    const presented = asPresented(secret);
    const isWithinReach = (row: JudgeableRow): boolean => reaches(caller, row);
    const judged =
      presented === null ? invalid : await this.#verifier.judge(presented, { scopes, isWithinReach });
    this.#note(judged, options);
    return describeVerification(judged);
  }

  #note({ valid, reason, key, version }: Verification, options: VerifyOptions): void {
    const { usage, session, flushSoon } = this.#deps;
    const at = session.clock.now();
    const asked = options.requestId;
    const named = typeof asked === "string" && requestId.test(asked) ? asked : null;
    if (valid && key !== null && version !== null) {
      if (usage.accepted({ key, version: version.version, at, requestId: named })) flushSoon();
      return;
    }
    usage.denied({
      key,
      version: version?.version ?? null,
      reason: reason ?? "invalid",
      at,
      requestId: named,
      personal: personalOf(options),
    });
  }
}

/** A keyring's keys are those of its tenant and environment that the caller's role opens; of others it knows nothing. */
function reaches(caller: Caller, { key }: JudgeableRow): boolean {
  if (key.tenantId !== caller.tenant.id || key.env !== caller.env) return false;
  const { role, actor, tenant } = caller;
  return mayDo({ role, actor, tenant: tenant.name }, "open", key.owner);
}

/** What may be an issued key; null for what cannot be one, such as the header of a request that has none. */
function asPresented(secret: unknown): Secret | string | null {
  if (typeof secret === "string") return secret.length > presentedMax ? null : secret;
  if (secret instanceof Secret) return secret;
  if (secret instanceof Uint8Array && secret.length <= presentedMax) return Secret.fromBytes(secret);
  return null;
}

const optionNames: ReadonlySet<string> = new Set<keyof VerifyOptions>([
  "scopes",
  "ip",
  "userAgent",
  "requestId",
]);

/** A mistake here must not open anything: scopes that were put in another place would not be asked for. */
function scopesOf(options: unknown): readonly string[] {
  const isObject = typeof options === "object" && options !== null && !Array.isArray(options);
  if (!isObject || Object.keys(options).some((name) => !optionNames.has(name)))
    throw new KeyctlError("usage", "the options of verify are scopes, ip, userAgent and requestId", {
      hint: 'for example { scopes: ["orders:write"] }',
    });
  const { scopes = [] }: { scopes?: unknown } = options;
  // A text would be taken apart into letters.
  if (Array.isArray(scopes) && scopes.every((scope) => typeof scope === "string")) return scopes;
  throw new KeyctlError("usage", "scopes is a list of texts", { hint: 'for example ["orders:write"]' });
}

function personalOf({ ip, userAgent }: VerifyOptions): Record<string, string> {
  return {
    ...(typeof ip === "string" ? { ip: ip.slice(0, ipMax) } : {}),
    ...(typeof userAgent === "string" ? { userAgent: userAgent.slice(0, userAgentMax) } : {}),
  };
}
