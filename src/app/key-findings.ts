import { formatElapsed } from "../core/duration.ts";
import { rotationTimes } from "../core/key-health.ts";
import type { KeyCondition, VersionCondition } from "../core/key-health.ts";
import type { KeyRecord } from "../core/model.ts";
import type { Deps } from "./deps.ts";
import { countMax, finding, inDays, pathOf } from "./finding.ts";
import type { Finding, FindingId, FindingLevel, FoundKind } from "./finding.ts";
import type { KeyScope, KeyWithVersion } from "./ports.ts";

type Told = Pick<Finding, "message" | "command"> & Partial<Pick<Finding, "since" | "until">>;

interface Section {
  condition: Exclude<KeyCondition, "secure">;
  level: FindingLevel;
  tell: (key: KeyRecord, now: number) => Told;
}

/** What presses most comes first. */
const sections: readonly Section[] = [
  {
    condition: "anomaly",
    level: "waiting",
    tell: (key, now) => ({
      since: key.anomalyAt,
      message: `used in an unusual way ${formatElapsed(now - (key.anomalyAt ?? now))} ago`,
      command: `keyctl audit-list --key ${pathOf(key)}`,
    }),
  },
  {
    condition: "overdue",
    level: "waiting",
    tell: (key, now) => ({
      since: key.expiresAt,
      message: `expired ${formatElapsed(now - (key.expiresAt ?? now))} ago, and that is not written yet`,
      command: "keyctl reconcile --fix",
    }),
  },
  {
    condition: "rotation-required",
    level: "waiting",
    tell: (key, now) => {
      const { since, requiredAt } = rotationTimes(key);
      return {
        since: requiredAt,
        message: `rotation is due, the value is ${inDays(now - since)} old`,
        command: `keyctl rotate ${pathOf(key)}`,
      };
    },
  },
  {
    condition: "expiring",
    level: "waiting",
    tell: (key, now) => ({
      until: key.expiresAt,
      message: `expires in ${formatElapsed((key.expiresAt ?? now) - now)}`,
      command: `keyctl rotate ${pathOf(key)}`,
    }),
  },
  {
    condition: "compromised",
    level: "notice",
    tell: (key) => ({
      message: "compromised, and no version has taken its place",
      command: `keyctl rotate ${pathOf(key)} --replace`,
    }),
  },
  {
    condition: "expired",
    level: "notice",
    tell: (key, now) => ({
      since: key.expiresAt,
      message: `expired ${inDays(now - (key.expiresAt ?? now))} ago`,
      command: `keyctl rotate ${pathOf(key)} --replace`,
    }),
  },
  {
    condition: "rotation-soon",
    level: "notice",
    tell: (key, now) => {
      const { requiredAt } = rotationTimes(key);
      return {
        until: requiredAt,
        message: `rotation is due in ${inDays(requiredAt - now)}`,
        command: `keyctl rotate ${pathOf(key)}`,
      };
    },
  },
  {
    condition: "never-used",
    level: "notice",
    tell: (key, now) => ({
      since: key.createdAt,
      message: `never used in the ${inDays(now - key.createdAt)} since it was made`,
      command: `keyctl suspend ${pathOf(key)} --reason unused`,
    }),
  },
  {
    condition: "stale",
    level: "notice",
    tell: (key, now) => ({
      since: key.lastUsedAt,
      message: `not used for ${inDays(now - (key.lastUsedAt ?? now))}`,
      command: `keyctl suspend ${pathOf(key)} --reason unused`,
    }),
  },
  {
    condition: "suspended",
    level: "notice",
    tell: (key) => ({ message: "suspended", command: `keyctl resume ${pathOf(key)} --reason reviewed` }),
  },
  {
    condition: "deleted",
    level: "notice",
    tell: (key, now) => {
      const left = (key.recoverableUntil ?? now) - now;
      const told = { since: key.deletedAt, until: key.recoverableUntil };
      return left > 0
        ? {
            ...told,
            message: `deleted, and can be restored for ${inDays(left)}`,
            command: `keyctl restore ${pathOf(key)}`,
          }
        : {
            ...told,
            message: "deleted, and too late to restore",
            command: `keyctl delete ${pathOf(key)} --purge`,
          };
    },
  },
];

const versionSections: Readonly<
  Record<VersionCondition, { id: FindingId; tell: (found: KeyWithVersion, now: number) => Told }>
> = {
  "in-grace": {
    id: "grace-running",
    tell: ({ key, version }, now) => ({
      since: version.rotatedAt,
      until: version.graceUntil,
      message: `version ${version.version} is still accepted for ${formatElapsed((version.graceUntil ?? now) - now)}`,
      command: `keyctl revoke ${pathOf(key)} --version ${version.version} --reason superseded`,
    }),
  },
  seen: {
    id: "seen",
    tell: ({ key, version }, now) => ({
      since: version.seenAt,
      message: `a person saw its value ${formatElapsed(now - (version.seenAt ?? now))} ago`,
      command: `keyctl rotate ${pathOf(key)}`,
    }),
  },
};

/** What the keys in the scope ask for, `limit` of each kind at most. */
export async function keyFindings(
  { store }: Pick<Deps, "store">,
  scope: KeyScope,
  limit: number,
): Promise<FoundKind[]> {
  const found: FoundKind[] = [];
  for (const { condition, level, tell } of sections) {
    const keys = await store.keysInCondition(scope, condition, limit + 1);
    found.push({
      id: condition,
      count: keys.length > limit ? await store.countKeys(scope, condition, countMax) : keys.length,
      shown: keys
        .slice(0, limit)
        .map((key) => finding({ id: condition, level, key: pathOf(key), ...tell(key, scope.now) })),
    });
  }
  return [...found, ...(await versionFindings({ store }, scope, limit))];
}

async function versionFindings(
  { store }: Pick<Deps, "store">,
  scope: KeyScope,
  limit: number,
): Promise<FoundKind[]> {
  const found: FoundKind[] = [];
  for (const condition of ["seen", "in-grace"] as const) {
    const { id, tell } = versionSections[condition];
    const versions = await store.versionsInCondition(scope, condition, limit + 1);
    found.push({
      id,
      count:
        versions.length > limit ? await store.countVersions(scope, condition, countMax) : versions.length,
      shown: versions.slice(0, limit).map(({ key, version }) => {
        const about = { key: pathOf(key), version: version.version };
        return finding({ id, level: "notice", ...about, ...tell({ key, version }, scope.now) });
      }),
    });
  }
  return found;
}
