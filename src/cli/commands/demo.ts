import type { Random } from "../../app/ports.ts";
import { KeyctlError } from "../../core/errors.ts";
import type { CommandDefinition } from "../command.ts";
import type { CommandContext, Services } from "../context.ts";

interface Step {
  says: string;
  line: string;
  /** The exit status that belongs to it; 0 where it is not named. */
  exit?: number;
}

/** The main job, as a person would type it. `$KEY` is never typed: keys go from file to file. */
const steps: readonly Step[] = [
  { says: "A store and a vault, with nothing to set up", line: "keyctl init" },
  {
    says: "An API key that we hand out: shown once, here kept in a file",
    line: "keyctl create payments --scopes orders:read --expires 90d --out-file payments.key",
  },
  {
    says: "A provider's key that we hold: sealed, never shown again",
    line: "keyctl create openai-main --kind provider --provider openai --from-file openai.key",
  },
  {
    says: "A password, drawn by keyctl and kept in the vault",
    line: "keyctl create orders-db --kind secret --type db-credential --generate",
  },
  {
    says: "A key that wraps data keys and never leaves the vault",
    line: "keyctl create patients --kind encryption --type PHI_DATA --compliance-tag HIPAA",
  },
  { says: "What there is: metadata only", line: "keyctl list" },
  { says: "Is the API key accepted?", line: "keyctl verify < payments.key" },
  {
    says: "Rotate: the old key stays accepted for a day",
    line: "keyctl rotate payments --grace 24h --yes --out-file payments-2.key",
  },
  {
    says: "Both are accepted now, the old one while its grace runs",
    line: "keyctl verify < payments.key && keyctl verify < payments-2.key",
  },
  { says: "The new key makes trouble: roll back", line: "keyctl rollback payments --yes" },
  {
    says: "The key got out: revoke it, all versions, for ever",
    line: "keyctl revoke payments --reason key-compromise --yes",
  },
  { says: "The proof: it is denied (exit 13)", line: "keyctl verify < payments.key", exit: 13 },
  { says: "A CI log; somebody printed two keys in it", line: "cut -c 1-36 job.log" },
  {
    says: "Which keys got out? One is ours and still accepted (exit 21)",
    line: "keyctl leak-scan job.log",
    exit: 21,
  },
  {
    says: "Deny what stands in the log; the provider has to be told too (exit 8)",
    line: "keyctl revoke --leaked --yes < job.log",
    exit: 8,
  },
  {
    says: "Is the log of all this whole, and do the keys agree with it?",
    line: "keyctl audit-verify --state",
  },
  {
    says: "Evidence for somebody who trusts neither us nor keyctl",
    line: "keyctl audit-export --format bundle --out evidence",
  },
];

const python: Step = { says: "Checked by Python and openssl alone", line: "python3 evidence/verify.py" };

export const demoCommand: CommandDefinition = {
  name: "demo",
  section: "Set up",
  summary: "show the main job on real parts, in a temporary home that is removed afterwards",
  description: "Needs a POSIX shell. Nothing of yours is read or written.",
  arguments: [],
  options: [{ name: "keep", summary: "leave the temporary home, and say where it is" }],
  examples: [
    { command: "keyctl demo", does: "see it work" },
    { command: "keyctl demo --keep", does: "and look around afterwards" },
  ],
  danger: "none",
  mutation: "no",
  run: async (context, { flags }) => {
    const startedAt = context.io.now();
    const services = await context.services();
    const shop = await services.workshop();
    let written = Promise.resolve();
    const say = (text: string): void => {
      written = written.then(async () => await context.talk.answer(text));
    };
    try {
      await shop.write("openai.key", await exampleKey("openai", services.random));
      const failed = await playAll(steps, shop, { context, say });
      if (failed !== null) return "failure";
      if (
        (await shop.run(
          "command -v python3 >/dev/null && command -v openssl >/dev/null",
          () => undefined,
        )) === 0
      ) {
        if ((await playAll([python], shop, { context, say })) !== null) return "failure";
      } else context.talk.note("python3 or openssl is not here: evidence/verify.py was not run");
    } finally {
      await written;
      if (flags.on("keep")) context.talk.note(`kept: KEYCTL_HOME=${shop.folder}/home`);
      else await shop.remove();
    }
    const seconds = ((context.io.now() - startedAt) / 1000).toFixed(1);
    await context.talk.answer(
      `\nThat took ${seconds} s. Next: README.md, then keyctl --help, docs/architecture.md, docs/threat-model.md.\n`,
    );
    return "ok";
  },
};

/** A made-up key of a provider's form, drawn anew each time. */
async function exampleKey(provider: string, random: Random): Promise<string> {
  const [{ exampleOf }, { leakRules }] = await Promise.all([
    import("../../leak/example.ts"),
    import("../../leak/rules/index.ts"),
  ]);
  const rule = leakRules.find((candidate) => candidate.provider === provider && candidate.near === undefined);
  if (rule === undefined) throw new KeyctlError("failure", `no rule knows keys of ${provider}`);
  return exampleOf(rule, (count) => random.bytes(count)).token;
}

type Shop = Awaited<ReturnType<Services["workshop"]>>;

/** Plays the steps; answers the first whose exit status is another than it should be. */
async function playAll(
  list: readonly Step[],
  shop: Shop,
  to: { context: CommandContext; say: (text: string) => void },
): Promise<Step | null> {
  for (const step of list) {
    // The log is written when the keys that leak into it exist.
    if (step.line.includes("job.log")) await shop.run(leakIntoLog, () => undefined);
    to.say(`\n# ${step.says}\n$ ${step.line}\n`);
    const code = await shop.run(step.line, to.say);
    if (code === (step.exit ?? 0)) continue;
    to.context.talk.warn(`this ended with ${code} and should have ended with ${step.exit ?? 0}`);
    return step;
  }
  return null;
}

const leakIntoLog = `test -f job.log || printf '2026-11-21T08:00:01Z ##[group]Run deploy\\n2026-11-21T08:00:02Z \\033[36;1mcurl -H "Authorization: Bearer %s" https://api.example.com\\033[0m\\n2026-11-21T08:00:03Z OPENAI_API_KEY=%s\\n2026-11-21T08:00:04Z done\\n' "$(cat payments.key)" "$(cat openai.key)" > job.log`;
