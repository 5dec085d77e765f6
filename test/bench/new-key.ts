import { createKey } from "../../src/app/create-key.ts";
import type { CreateKeyInput, MadeVersion } from "../../src/app/create-key.ts";
import type { MutationOptions } from "../../src/app/deps.ts";
import type { Session } from "../../src/cli/context.ts";

/** No flag that a mutation may have. */
export const plainOptions: MutationOptions = {
  reason: null,
  ticket: null,
  ifRevision: null,
  idempotencyKey: null,
};

const plainKey: Omit<CreateKeyInput, "path"> = {
  kind: "issued",
  spec: {},
  policy: {},
  expiresAt: null,
  owner: "app",
  tags: {},
  complianceTags: [],
  description: null,
  secret: null,
  generateLength: null,
  outFile: null,
  options: plainOptions,
};

/** Creates an issued key as `keyctl create NAME` does. */
export async function newIssuedKey(
  session: Session,
  path: string,
  more: Partial<CreateKeyInput> = {},
): Promise<MadeVersion> {
  return await createKey(session, { ...plainKey, path, ...more });
}
