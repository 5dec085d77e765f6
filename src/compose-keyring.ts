import { openSession, settingsOf } from "./compose-session.ts";
import type { Asker } from "./compose-session.ts";
import type { Keyring } from "./library/keyring.ts";
import { keyringOver } from "./library/keyring-over.ts";
import type { KeyringSession } from "./library/keyring-over.ts";

/** What a program says of the keyring it wants; null where the settings of the command line are to decide. */
export interface KeyringRequest {
  profile: string | null;
  store: string | null;
  vault: string | null;
  tenant: string | null;
  env: string | null;
  service: string | null;
}

/** What the library has of the process that it runs in. */
export type Program = Asker & Pick<KeyringSession, "stopwatch" | "every">;

/** SQLite waits for a lock without letting anything else run: a server must not stand still for longer than a moment. */
const busyTimeoutMs = 250;

/** Opens what the settings name, as the command line would, and the library's keyring over it. Makes nothing. */
export async function composeKeyring(program: Program, request: KeyringRequest): Promise<Keyring> {
  const { service, ...said } = request;
  const settings = await settingsOf(program.io, { ...said, auth: null });
  const asker = { ...program, limits: { busyTimeoutMs, ...program.limits } };
  const session = await openSession(asker, settings, {
    make: false,
    ...(service === null ? {} : { service }),
  });
  const { stopwatch, every } = program;
  try {
    return await keyringOver({ ...session, stopwatch, every });
  } catch (error) {
    await session.close();
    throw error;
  }
}
