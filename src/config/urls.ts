import { isAbsolute, join, resolve } from "node:path";
import { KeyctlError } from "../core/errors.ts";
import { nearestName } from "../core/near-name.ts";

/** The store's place, as this build knows stores. */
export interface StoreUrl {
  kind: "sqlite";
  /** Absolute. */
  path: string;
  /** `sqlite:/…`, for messages. */
  url: string;
}

export interface VaultUrl {
  kind: "embedded";
  /** Absolute. */
  path: string;
  url: string;
}

export interface UrlContext {
  /** What a relative path starts from; absolute. */
  folder: string;
  homeDirectory: string;
}

const laterStores = ["postgres:", "postgresql:"];
const laterVaults = ["azurekms:", "awskms:", "hashivault:", "gcpkms:", "pkcs11:"];

/** Reads `sqlite:PATH`. `usage` for anything else; the text is not shown, because a URL may hold a password. */
export function parseStoreUrl(text: string, context: UrlContext): StoreUrl {
  const path = pathOf({ text, scheme: "sqlite:", later: laterStores, what: "store" }, context);
  return { kind: "sqlite", path, url: `sqlite:${path}` };
}

/** Reads `embedded:PATH`. `usage` for anything else; the text is not shown. */
export function parseVaultUrl(text: string, context: UrlContext): VaultUrl {
  const path = pathOf({ text, scheme: "embedded:", later: laterVaults, what: "vault" }, context);
  return { kind: "embedded", path, url: `embedded:${path}` };
}

interface UrlRequest {
  text: string;
  scheme: string;
  later: readonly string[];
  what: "store" | "vault";
}

function pathOf(request: UrlRequest, context: UrlContext): string {
  const { text, scheme, later, what } = request;
  const [given] = /^[A-Za-z][A-Za-z0-9+.-]{0,31}:/.exec(text) ?? [];
  const found = given?.toLowerCase();
  if (found !== undefined && later.includes(found)) {
    throw new KeyctlError("usage", `this build has no ${found.slice(0, -1)} ${what} yet`, {
      hint: `--${what} ${scheme}PATH`,
    });
  }
  if (given === undefined || found !== scheme) {
    const near = found === undefined ? null : nearestName(found, [scheme]);
    throw new KeyctlError("usage", `the ${what} is not given as ${scheme}PATH`, {
      hint: near === null ? `for example ${scheme}/srv/keyctl/${what}.db` : `did you mean ${near}?`,
    });
  }
  const path = text.slice(given.length);
  // `sqlite://host/x` would silently be a path; nobody means that.
  if (path.trim() === "" || path.startsWith("//") || path.includes("\0")) {
    throw new KeyctlError("usage", `the ${what} has no usable path after ${scheme}`, {
      hint: `for example ${scheme}/srv/keyctl/${what}.db`,
    });
  }
  return absolute(path, context);
}

/** The shell does not expand `~` after `sqlite:`, so it is done here. */
function absolute(path: string, context: UrlContext): string {
  if (path === "~" || path.startsWith("~/")) return join(context.homeDirectory, path.slice(1));
  return isAbsolute(path) ? resolve(path) : resolve(context.folder, path);
}
