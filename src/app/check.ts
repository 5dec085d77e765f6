import { isKeyctlError } from "../core/errors.ts";

export type CheckStatus = "ok" | "warn" | "fail";

/** One line of `doctor`. */
export interface Check {
  /** Stable, for monitors: `store.schema`. Several things of one sort share it. */
  id: string;
  status: CheckStatus;
  /** What was looked at. */
  subject: string;
  /** What is true of it. */
  message: string;
  /** A command or one sentence; null when all is well. */
  cure: string | null;
}

/** Which line it is. */
export type Line = Pick<Check, "id" | "subject">;

/** All is well. */
export function passed({ id, subject }: Line, message: string): Check {
  return { id, status: "ok", subject, message, cure: null };
}

/** Something works and should not stay so, or was not looked at. */
export function doubtful({ id, subject }: Line, message: string, cure: string): Check {
  return { id, status: "warn", subject, message, cure };
}

/** Something is broken, or lets others in. */
export function failed({ id, subject }: Line, message: string, cure: string): Check {
  return { id, status: "fail", subject, message, cure };
}

const cureOfAll = "run it again with KEYCTL_DEBUG=1 and report what it prints";

/** The line for an error: what was not looked at (`incomplete`) is a warning, everything else failed. Ctrl-C stays an error. */
export function stopped(line: Line, error: unknown): Check {
  if (!isKeyctlError(error)) return failed(line, "something unexpected happened inside keyctl", cureOfAll);
  if (error.code === "interrupted") throw error;
  const say = error.code === "incomplete" ? doubtful : failed;
  return say(line, error.message, error.hint ?? cureOfAll);
}

/** The lines that `look` answers, or one for what it threw. */
export async function checked(line: Line, look: () => Promise<Check[]>): Promise<Check[]> {
  try {
    return await look();
  } catch (error) {
    return [stopped(line, error)];
  }
}
