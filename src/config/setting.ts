/** A value and where it is from. */
export interface Setting<T> {
  value: T;
  source: SettingSource;
}

export type SettingSource =
  | { kind: "flag"; name: string }
  | { kind: "environment"; name: string }
  | { kind: "user-file"; path: string; profile: string | null }
  | { kind: "project-file"; path: string }
  | { kind: "default" };

/** Where a value is from, in words: `--store`, `KEYCTL_STORE is set`, `profile work in /home/…/config.json`. */
export function describeSource(source: SettingSource): string {
  switch (source.kind) {
    case "flag":
      return `${source.name} says so`;
    case "environment":
      return `${source.name} is set`;
    case "user-file":
      return source.profile === null
        ? `${source.path} says so`
        : `profile ${source.profile} in ${source.path} says so`;
    case "project-file":
      return `${source.path} says so`;
    case "default":
      return "nothing else was said";
  }
}
