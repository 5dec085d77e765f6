/** What can be told from a JSON Web Token (RFC 7519) without its key. */
export interface JwtFacts {
  /** The header's `alg` where it is a registered name (RFC 7518 section 3.1), else `other`. */
  algorithm: string;
  /** Milliseconds since the epoch, or null when the payload has no `exp`. */
  expiresAt: number | null;
}

const algorithms = new Set(
  "none HS256 HS384 HS512 RS256 RS384 RS512 ES256 ES384 ES512 PS256 PS384 PS512 EdDSA ES256K".split(" "),
);

/** Header and payload of `header.payload.signature`, or null when they are no JSON objects or there is no `alg`. */
export function readJwt(token: string): JwtFacts | null {
  const [head, body, signature] = token.split(".");
  if (head === undefined || body === undefined || signature === undefined) return null;
  const header = decodeObject(head);
  const payload = decodeObject(body);
  const algorithm = header?.["alg"];
  if (payload === null || typeof algorithm !== "string") return null;
  const exp = payload["exp"];
  const expires = typeof exp === "number" && Number.isFinite(exp) && exp > 0 && exp < 1e11;
  return {
    algorithm: algorithms.has(algorithm) ? algorithm : "other",
    expiresAt: expires ? exp * 1000 : null,
  };
}

function decodeObject(part: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}
