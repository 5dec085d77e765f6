import type { CommandDefinition } from "./command.ts";

/** Every verb, in the order in which help shows them. */
export const commands: readonly CommandDefinition[] = [];
