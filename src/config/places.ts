import { isAbsolute, join, resolve } from "node:path";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where keyctl keeps its own files; all absolute. */
export interface Places {
  /** The store and the vault of the embedded default. */
  data: string;
  configFile: string;
  unlockKey: string;
  checkpoints: string;
  /** What decided: `KEYCTL_HOME`, or the XDG base directories. */
  source: "KEYCTL_HOME" | "XDG";
}

export interface PlaceRequest {
  env: Environment;
  /** Absolute. */
  cwd: string;
  homeDirectory: string;
}

/**
 * `$KEYCTL_HOME` holds everything when it is set. Else the XDG Base Directory Specification 0.8, whose variables count only
 * when they are absolute.
 */
export function findPlaces(request: PlaceRequest): Places {
  const own = request.env["KEYCTL_HOME"] ?? "";
  if (own !== "") {
    const home = resolve(request.cwd, own);
    return { ...inFolders({ data: home, config: home, state: home }), source: "KEYCTL_HOME" };
  }
  const base = (variable: string, fallback: string): string => {
    const given = request.env[variable] ?? "";
    return join(isAbsolute(given) ? given : join(request.homeDirectory, fallback), "keyctl");
  };
  const folders = {
    data: base("XDG_DATA_HOME", ".local/share"),
    config: base("XDG_CONFIG_HOME", ".config"),
    state: base("XDG_STATE_HOME", ".local/state"),
  };
  return { ...inFolders(folders), source: "XDG" };
}

function inFolders(folders: { data: string; config: string; state: string }): Omit<Places, "source"> {
  return {
    data: folders.data,
    configFile: join(folders.config, "config.json"),
    unlockKey: join(folders.config, "unlock.key"),
    checkpoints: join(folders.state, "checkpoints"),
  };
}
