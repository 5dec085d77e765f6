import { describeSource } from "./setting.ts";
import type { Setting, SettingSource } from "./setting.ts";
import type { ResolvedSettings } from "./settings.ts";

/** A setting as it is shown. */
export interface ListedSetting {
  /** As `ResolvedSettings` has it. */
  name: string;
  /** Null where nothing was chosen and nothing is needed. */
  value: string | null;
  /** In words: `--store says so`, `default`. */
  source: string;
}

/** Every setting with its value and where that is from; one that is added to `ResolvedSettings` is listed too. */
export function listSettings(settings: ResolvedSettings): ListedSetting[] {
  return Object.entries(settings)
    .filter((entry): entry is [string, Setting<unknown>] => isSetting(entry[1]))
    .map(([name, { value, source }]) => ({ name, value: shown(value), source: sourceOf(source) }));
}

function sourceOf(source: SettingSource): string {
  return source.kind === "default" ? "default" : describeSource(source);
}

function isSetting(value: unknown): boolean {
  return typeof value === "object" && value !== null && "value" in value && "source" in value;
}

function shown(value: unknown): string | null {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.length === 0 ? null : value.join(", ");
  // A store or a vault; its URL holds no password.
  if (typeof value === "object" && value !== null && "url" in value && typeof value.url === "string")
    return value.url;
  return value === null || value === undefined ? null : JSON.stringify(value);
}
