import type { Deps } from "../app/deps.ts";
import { openProviderKey } from "../app/open-provider-key.ts";
import { openValue } from "../app/open-value.ts";
import type { OpenedValue } from "../app/open-value.ts";
import type { Clock } from "../app/ports.ts";
import { openSealedValue, sealValue } from "../app/seal-value.ts";
import { unwrapDataKey } from "../app/unwrap-data-key.ts";
import { UsageLog } from "../app/usage-log.ts";
import { wrapDataKey } from "../app/wrap-data-key.ts";
import { isKeyctlError, KeyctlError } from "../core/errors.ts";
import { isoTime } from "../core/iso-time.ts";
import { parseKeyPath } from "../core/key-name.ts";
import type { Tenant } from "../core/model.ts";
import { Secret } from "../core/secret.ts";
import { uuidv7 } from "../core/uuid.ts";
import { redactText } from "../leak/redact.ts";
import { HandedOut } from "./handed-out.ts";
import type { Keyring, OpenedKey, Values } from "./keyring.ts";
import { LiveCaller } from "./live-caller.ts";
import { Underway } from "./underway.ts";
import { VerifyDesk } from "./verify-desk.ts";

/** An open session of the program's own, and what only its process has. */
export interface KeyringSession extends Deps {
  close(): Promise<void>;
  /** Runs on whatever is done to the wall clock. */
  stopwatch: Clock;
  /** Calls again and again until the answer is called; does not keep the process alive. */
  every(ms: number, work: () => void): () => void;
}

/** How often it is looked whether something is to be written. */
const lookMs = 1_000;

/**
 * The library's keyring over a session, which is its own from here on. What verification takes of the vault is fetched now:
 * `unavailable` without it, and from then on known keys are judged while it is away.
 */
export async function keyringOver(session: KeyringSession): Promise<Keyring> {
  const live = new LiveCaller(session);
  const usage = new UsageLog(session);
  const flush = async (options?: { all: boolean }): Promise<void> => await usage.flush(options);
  const flushSoon = (): void => {
    flush().catch((error: unknown) => {
      // Nobody waits for it: thrown on, it would end the program.
      const why = isKeyctlError(error) ? error.message : "something unexpected happened";
      session.warn(`the use of keys is not written yet, and is tried again: ${why}`);
    });
  };
  const desk = await VerifyDesk.open({ session, live, usage, flushSoon });
  const stopLooking = session.every(lookMs, () => {
    if (usage.isDue()) flushSoon();
  });
  const underway = new Underway();
  const handedOut = new HandedOut();
  /** Each call is told in the log under a correlation id of its own, by the role that the actor has now. */
  const call = async <T>(work: (deps: Deps) => Promise<T>): Promise<T> =>
    await underway.track(async () => {
      const correlationId = uuidv7(session.clock.now(), session.random.bytes(10));
      return await work({ ...session, caller: { ...(await live.now()), correlationId } });
    });
  return {
    verify: async (secret, options = {}) =>
      await underway.track(async () => await desk.verify(secret, options)),
    open: async (name) => {
      assertOwnName(name, session.caller.tenant);
      const input = { target: { path: name }, version: null, operation: "key.open" } as const;
      return opened(await call(async (deps) => await openValue(deps, input)), handedOut);
    },
    providerKey: async (provider, user) => {
      assertText(provider, "a provider");
      if (user !== undefined) assertText(user, "a user");
      const input = { provider, user: user ?? null };
      const found = await call(async (deps) => await openProviderKey(deps, input));
      const { owner, preferredModel } = found.key;
      return { ...opened(found, handedOut), provider, owner, preferredModel };
    },
    dataKey: async (name) => {
      assertOwnName(name, session.caller.tenant);
      const made = await call(async (deps) => await wrapDataKey(deps, { path: name }));
      const { plaintext, wrapped, key, version } = made;
      return { plaintext: handedOut.note(plaintext), wrapped, keyId: key.id, version: version.version };
    },
    unwrap: async (wrapped) => {
      assertBytes(wrapped, "what dataKey answered as wrapped");
      const { plaintext } = await call(async (deps) => await unwrapDataKey(deps, { wrapped }));
      return handedOut.note(plaintext);
    },
    values: valuesOver({ call, handedOut, tenant: session.caller.tenant }),
    redact: (text) => {
      assertText(text, "a text");
      return redactText(handedOut.mask(text));
    },
    flush: async () => await underway.track(async () => await flush()),
    close: async () =>
      await underway.end(async () => {
        stopLooking();
        try {
          await flush({ all: true });
        } finally {
          await session.close();
        }
      }),
  };
}

type Call = <T>(work: (deps: Deps) => Promise<T>) => Promise<T>;

function valuesOver({
  call,
  handedOut,
  tenant,
}: {
  call: Call;
  handedOut: HandedOut;
  tenant: Tenant;
}): Values {
  return {
    seal: async (name, plaintext, place) => {
      assertOwnName(name, tenant);
      const context = contextOf(place);
      const secret = asSecret(plaintext);
      const input = { path: name, plaintext: secret, context };
      return await call(async (deps) => await sealValue(deps, input));
    },
    open: async (sealed, place) => {
      assertBytes(sealed, "what values.seal answered");
      const context = contextOf(place);
      return handedOut.note(await call(async (deps) => await openSealedValue(deps, { sealed, context })));
    },
  };
}

function opened({ key, version, secret }: OpenedValue, handedOut: HandedOut): OpenedKey {
  const { expiresAt } = version;
  return {
    secret: handedOut.note(secret),
    keyId: key.id,
    name: key.name,
    version: version.version,
    expiresAt: isoTime(expiresAt),
  };
}

function asSecret(value: string | Uint8Array | Secret): Secret {
  if (value instanceof Secret) return value;
  if (typeof value === "string") return Secret.fromUtf8(value);
  assertBytes(value, "a text, bytes or a Secret to seal");
  return Secret.fromBytes(value);
}

function contextOf(place: unknown): string {
  const context = typeof place === "object" && place !== null && "context" in place ? place.context : null;
  assertText(context, "a context");
  return context;
}

/** A name may come from outside: it chooses among the keyring's own tenant, wherever else the program's user has a role. */
function assertOwnName(name: unknown, tenant: Tenant): asserts name is string {
  assertText(name, "a key's name");
  const said = parseKeyPath(name).tenant;
  if (said === undefined || said.toLowerCase() === tenant.name.toLowerCase()) return;
  throw new KeyctlError("not-found", `this keyring is of tenant ${tenant.name}: it has no keys of another`, {
    hint: "openKeyring({ tenant }) opens that tenant's",
  });
}

/** Programs in plain JavaScript come without the compiler's promise. The value itself is not repeated. */
function assertText(value: unknown, what: string): asserts value is string {
  if (typeof value !== "string") throw new KeyctlError("usage", `${what} is text, not ${typeof value}`);
}

function assertBytes(value: unknown, what: string): asserts value is Uint8Array {
  if (!(value instanceof Uint8Array)) throw new KeyctlError("usage", `expected ${what}, in a Uint8Array`);
}
