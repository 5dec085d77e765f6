import { beforeAll, describe, expect, it } from "vitest";
import { pattern, play, readGuide, streams } from "./guide.ts";
import type { Did, Part } from "./guide.ts";

/** A home with a key of each kind, in use, and logs into which some of them were printed. Token-shaped text is made when it runs. */
const fourKeys = `
keyctl create payments --scopes orders:read --out-file payments.key
keyctl verify < payments.key
printf 'sk-proj-%s' "$(openssl rand -hex 32)" > openai.key
printf 'sk-proj-%s' "$(openssl rand -hex 32)" > new-openai.key
keyctl create openai-main --kind provider --provider openai --from-file openai.key
keyctl create orders-db --kind secret --type db-credential --generate
keyctl create patients --kind encryption --type PHI_DATA
keyctl create shop --out-file shop.key
printf '10:02 curl -H "Authorization: Bearer %s"\\n10:03 OPENAI_API_KEY=%s\\n' "$(cat payments.key)" "$(cat openai.key)" > job.log
printf '10:04 token=%s\\n' "$(cat shop.key)" > other.log
echo done > clean.log
echo 'test -n "$NEW" && echo password set' > set-password.sh`;

/** Every page whose commands a reader types, with what its reader has before: a home, keys, a log. */
const guides: readonly { page: string; has: string }[] = [
  { page: "tutorial.md", has: "" },
  { page: "runbooks/leaked-key.md", has: fourKeys },
  { page: "runbooks/rotate.md", has: fourKeys },
  { page: "security-practices.md", has: fourKeys },
];

describe.each(guides)("docs/$page", async ({ page, has }) => {
  const parts = await readGuide(page);
  const shown = parts.filter((part) => part.is === "shown");
  let did: Did[] = [];
  beforeAll(async () => {
    did = await play(parts, has);
  }, 240_000);

  it.each(sections(parts))("does what it shows: %s", (section) => {
    for (const [number, { line, output, exit, ...part }] of shown.entries()) {
      if (part.section !== section) continue;
      const { stdout = "", stderr = "", exit: status = -1 } = did[number] ?? {};
      const all = `$ ${line}\n${stdout}${stderr}`;
      expect(status, all).toBe(exit);
      if (output === null) continue;
      const wanted = streams(output);
      expect(withEnd(stdout), all).toMatch(pattern(wanted.stdout));
      expect(withEnd(stderr), all).toMatch(pattern(wanted.stderr));
    }
  });
});

/** A key on stdout has no newline at its end. */
function withEnd(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}

function sections(parts: readonly Part[]): string[] {
  return [...new Set(parts.filter(({ is }) => is === "shown").map(({ section }) => section))];
}
