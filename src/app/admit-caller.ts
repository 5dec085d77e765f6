import { KeyctlError } from "../core/errors.ts";
import type { Actor } from "../core/model.ts";
import { uuidv7 } from "../core/uuid.ts";
import type { Caller, Deps } from "./deps.ts";
import { Trespass } from "./trespass.ts";

type AdmitDeps = Pick<Deps, "store" | "clock" | "random" | "tool" | "warn">;

/** Who comes, where to, and how that is known. */
export interface Arrival {
  login: string;
  /** How the login is known, in the words of the audit log. */
  auth: string;
  personal: Record<string, string>;
  /** The name of the context's tenant. */
  tenant: string;
  /** Where the tenant was looked for and why, for the message. */
  where: string;
  env: string;
  service: string | null;
  /** A tenant that was deleted is open to whoever had a role in it: its log stays to be read. */
  deletedToo: boolean;
  /** A shell asks for names while a person types: that is no attempt, and a stranger leaves no entry. */
  glance: boolean;
}

/** What the log calls whoever has a login that is no actor's. */
export const unknownActor = "unknown";

/**
 * The caller in its context. `forbidden` for a login that is no actor's; `not-found`, in the same words, for a tenant that is
 * not there, one that was deleted, and one in which the actor has no role. Both kinds of strangers are told to the log `system`.
 */
export async function admitCaller(deps: AdmitDeps, arrival: Arrival): Promise<Caller> {
  const { store, clock, random } = deps;
  const actor = await store.actorByLogin(arrival.login);
  const { auth, env, service, personal } = arrival;
  const correlationId = uuidv7(clock.now(), random.bytes(10));
  const caller = { auth, env, service, personal, correlationId };
  const away = { ...deps, unseen: arrival.glance };
  if (actor === null)
    throw await turnedAway(away, { ...caller, actor: { id: unknownActor } }, notAnActor(deps, arrival));
  const tenant = await store.tenantByName(arrival.tenant);
  const noTenant = unknownHere(arrival);
  if (tenant === null) throw noTenant;
  const role = await store.roleOf(actor.id, tenant.id);
  if (role === null)
    throw await turnedAway(
      away,
      { ...caller, actor },
      new Trespass(noTenant, { tenantId: tenant.id, keyId: null }),
    );
  if (tenant.deletedAt !== null && !arrival.deletedToo) throw noTenant;
  return { ...caller, actor, role, tenant };
}

async function turnedAway(
  deps: AdmitDeps & { unseen: boolean },
  caller: Pick<Caller, "auth" | "correlationId" | "personal"> & { actor: Pick<Actor, "id"> },
  error: KeyctlError,
): Promise<KeyctlError> {
  if (deps.unseen) return error;
  // Loaded for strangers only: everybody else does not wait for the rules of what a log may hold.
  const { recordTrespass } = await import("./record-refusal.ts");
  await recordTrespass(
    { ...deps, caller },
    { operation: "session.open", startedAt: deps.clock.now(), error },
  );
  return error;
}

function notAnActor({ store }: AdmitDeps, { login }: Arrival): KeyctlError {
  return new KeyctlError("forbidden", `${login} is not an actor of ${store.url}`, {
    hint: `an owner runs keyctl actor add NAME --login ${login}`,
  });
}

function unknownHere({ tenant, where }: Arrival): KeyctlError {
  return new KeyctlError("not-found", `no tenant ${tenant} in ${where}`, {
    hint: "check --tenant, KEYCTL_TENANT and the profile; keyctl tenant list names yours",
  });
}
