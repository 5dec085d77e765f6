import { formatDuration } from "../core/duration.ts";
import type { Tenant } from "../core/model.ts";
import { maintenanceLateMs } from "../core/policy.ts";
import { checked, doubtful, failed, passed } from "./check.ts";
import type { Check } from "./check.ts";
import type { StoreLook, StoreReader } from "./ports.ts";

/** The store that the settings name. */
export interface StoreTarget {
  url: string;
  path: string;
  /** Nobody chose it: it is where keyctl makes one. */
  isDefault: boolean;
  /** Null when there is none. */
  look(): Promise<StoreLook | null>;
}

export interface StoreFindings {
  checks: Check[];
  /** What can be read of it; null when that is nothing. The caller closes it. */
  look: StoreLook | null;
  reader: StoreReader | null;
}

const reachable = { id: "store", subject: "store" };

/** Whether the store is there, whole, and of this release. `isExpected`: something says that there was one. */
export async function checkStore(target: StoreTarget, isExpected: boolean): Promise<StoreFindings> {
  let look: StoreLook | null = null;
  const checks = await checked(reachable, async () => {
    look = await target.look();
    return look === null ? [missing(target, isExpected)] : [passed(reachable, "can be read")];
  });
  return await readFindings({ checks, look });
}

function missing({ url, isDefault }: StoreTarget, isExpected: boolean): Check {
  if (isDefault && !isExpected) return doubtful(reachable, `there is none yet at ${url}`, "keyctl init");
  const cure =
    "restore it from a backup, choose another with --store, --profile or KEYCTL_HOME, or keyctl init";
  return failed(reachable, `no store at ${url}`, cure);
}

async function readFindings(found: { checks: Check[]; look: StoreLook | null }): Promise<StoreFindings> {
  const { checks, look } = found;
  if (look === null) return { ...found, reader: null };
  const integrity = { id: "store.integrity", subject: "store's integrity" };
  const sound = await checked(integrity, async () => {
    look.assertSound();
    return await Promise.resolve([passed(integrity, "SQLite finds no damage")]);
  });
  const isSound = sound.every(({ status }) => status === "ok");
  return {
    checks: [...checks, ...sound, checkSchema(look)],
    look,
    // What a damaged file says of actors and logs is worth nothing.
    reader: isSound ? look.reader : null,
  };
}

function checkSchema({ schema: { found, known } }: StoreLook): Check {
  const line = { id: "store.schema", subject: "store's schema" };
  if (found === known) return passed(line, String(found));
  if (found > known) {
    return failed(line, `${found}, of a newer keyctl: this one knows ${known}`, "upgrade keyctl");
  }
  const cure = "back the store up; the next command that opens it brings it up to date";
  return doubtful(line, `${found}, of an older keyctl: this one writes ${known}`, cure);
}

/**
 * Who the caller is in the store, and in which tenant. A tenant in which it has no role is told in the words of one that is not
 * there, as everywhere; null then.
 */
export async function checkCaller(
  store: StoreReader,
  { login, tenant: name }: { login: string; tenant: string },
): Promise<{ checks: Check[]; tenant: Tenant | null }> {
  const [ofActor, ofTenant] = [
    { id: "actor", subject: "actor" },
    { id: "tenant", subject: "tenant" },
  ];
  const actor = await store.actorByLogin(login);
  if (actor === null) {
    const cure = `an owner runs keyctl actor add NAME --login ${login}`;
    return { checks: [failed(ofActor, `${login} is not an actor of this store`, cure)], tenant: null };
  }
  const tenant = await store.tenantByName(name);
  const role = tenant === null ? null : await store.roleOf(actor.id, tenant.id);
  if (tenant === null || role === null || tenant.deletedAt !== null) {
    const cure = "check --tenant, KEYCTL_TENANT and the profile; keyctl tenant list names yours";
    return {
      checks: [passed(ofActor, login), failed(ofTenant, `no tenant ${name} in this store`, cure)],
      tenant: null,
    };
  }
  return {
    checks: [passed(ofActor, login), passed(ofTenant, `${name}, of which ${login} is ${role}`)],
    tenant,
  };
}

/** Whether `reconcile --fix` ran lately: it writes expiries, does the queue, and signs the log. */
export async function checkMaintenance(store: StoreReader, now: number): Promise<Check[]> {
  const line = { id: "maintenance", subject: "maintenance" };
  return await checked(line, async () => {
    const { maintainedAt, createdAt } = await store.meta();
    const ago = now - (maintainedAt ?? createdAt);
    const when =
      maintainedAt === null
        ? "never ran"
        : ago < minuteMs
          ? "ran just now"
          : `last ran ${formatDuration(Math.floor(ago / minuteMs) * minuteMs)} ago`;
    if (ago <= maintenanceLateMs) return [passed(line, when)];
    return [doubtful(line, when, "keyctl reconcile --fix, best every day from cron")];
  });
}

const minuteMs = 60_000;
