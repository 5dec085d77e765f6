import { KeyctlError } from "../../core/errors.ts";

/** The two namespaces of a vault: a key and a secret may have the same name. */
export type ObjectKind = "keys" | "secrets";

/** What a reference names: one version of one object in one vault. */
export interface ObjectReference {
  /** The vault's, lower case. */
  uuid: string;
  kind: ObjectKind;
  name: string;
  version: number;
}

const nameBytesMax = 255;
const shape =
  /^embedded:\/\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/(keys|secrets)\/([^/]+)\/([1-9][0-9]{0,8})$/;

/** `embedded://<vault uuid>/keys|secrets/<percent-encoded name>/<version>`. */
export function formatReference(reference: ObjectReference): string {
  const { uuid, kind, name, version } = reference;
  return `embedded://${uuid}/${kind}/${encodeURIComponent(name)}/${version}`;
}

function decodeName(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/** Null for everything but the one spelling that `formatReference` gives: a reference has no second form. */
export function parseReference(text: string): ObjectReference | null {
  const match = shape.exec(text);
  if (match === null) return null;
  const [, uuid = "", kind = "", encodedName = "", version = ""] = match;
  const name = decodeName(encodedName);
  if (name === null) return null;
  const reference: ObjectReference = {
    uuid,
    kind: kind === "keys" ? "keys" : "secrets",
    name,
    version: Number(version),
  };
  return formatReference(reference) === text ? reference : null;
}

/** Refuses (`refused`) a name that is empty, over 255 bytes, not well-formed Unicode, or has control characters. */
export function assertObjectName(name: string): void {
  const fits = name.length > 0 && Buffer.byteLength(name, "utf8") <= nameBytesMax;
  if (fits && name.isWellFormed() && !/\p{Cc}/u.test(name)) return;
  throw new KeyctlError(
    "refused",
    `a vault object's name is 1 to ${nameBytesMax} bytes of text without control characters`,
  );
}
