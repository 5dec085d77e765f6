import type { KeyctlError } from "../core/errors.ts";
import type { CommandDefinition } from "./command.ts";
import { secondWords } from "./find-command.ts";
import { findPage } from "./help-pages.ts";
import { helpTopics } from "./help-topics.ts";
import { formatMan } from "./man.ts";
import { knownVerbs, unknownVerb } from "./near-misses.ts";
import { formatPage } from "./render/page.ts";

export interface HelpRequest {
  /** A verb, a group or a topic; null is the overview. */
  topic: string | null;
  /** As a manual page (roff) instead of text. */
  man: boolean;
  /** Width of the terminal; null where there is none. */
  columns: number | null;
  version: string;
}

/** The page that was asked for; `usage` with a suggestion when there is none. */
export function formatHelp(request: HelpRequest, commands: readonly CommandDefinition[]): string {
  const page = findPage(request.topic, commands);
  if (page === null) throw unknownTopic(request.topic ?? "", commands);
  return request.man ? formatMan(page, request.version) : formatPage(page, request.columns);
}

function unknownTopic(topic: string, commands: readonly CommandDefinition[]): KeyctlError {
  const [first = "", second] = topic.split(" ");
  if (second !== undefined)
    return unknownVerb({
      group: first,
      typed: second,
      next: null,
      known: secondWords(first, commands),
      page: true,
    });
  const topics = helpTopics.map(({ name }) => name);
  return unknownVerb({ typed: first, next: null, known: [...knownVerbs(commands), ...topics], page: true });
}
