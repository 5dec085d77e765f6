import type { ShownKey } from "../../app/show-key.ts";
import type { CommandDefinition } from "../command.ts";
import type { CommandContext } from "../context.ts";
import { idOption, nameArgument, readTarget } from "./target.ts";

export const showCommand: CommandDefinition = {
  name: "show",
  section: "Keys",
  summary: "show one key and its versions, metadata only",
  arguments: [nameArgument],
  options: [idOption, { name: "wide", summary: "with vault references" }],
  examples: [
    { command: "keyctl show payments", does: "the key and its versions" },
    { command: "keyctl show --id 000M9ODf6X0fx1 -o json", does: "whose issued key carries this public id" },
  ],
  danger: "none",
  mutation: "no",
  run: async (context, input) => {
    const { showKey } = await import("../../app/show-key.ts");
    const target = readTarget(input);
    const session = await context.session();
    const shown = await showKey(session, target);
    await present(context, shown, input.flags.on("wide") || context.answer.format === "wide");
    return "ok";
  },
};

async function present(context: CommandContext, shown: ShownKey, wide: boolean): Promise<void> {
  const { detailColumns, keyJson, keyView, versionColumns, versionJson } =
    await import("../render/key-view.ts");
  const { formatRecord, formatTable } = await import("../render/table.ts");
  const { tenantNames } = await import("../../app/tenant-names.ts");
  const { answer, io } = context;
  const session = await context.session();
  const tenantOf = await tenantNames(session);
  const { key, versions, operation, revocations } = shown;
  const upstream = revocations.find((revocation) => revocation.upstream !== null) ?? null;
  if (answer.format === "csv" || answer.format === "name") {
    await answer.one(keyView(tenantOf, io.now()), key);
    return;
  }
  const json = {
    ...keyJson(key, tenantOf, io.now()),
    versions: versions.map((version) => versionJson(version, wide)),
    operation: operation === null ? null : { id: operation.id, kind: operation.kind, step: operation.step },
    upstream: upstream === null ? null : { status: upstream.upstream, url: upstream.upstreamUrl },
  };
  const names = new Map((await session.store.actors()).map((actor) => [actor.id, actor.login]));
  const columns = [...keyView(tenantOf, io.now()).columns, ...detailColumns((id) => names.get(id) ?? id)];
  await answer.value(json, async (style) => {
    const told = columns.filter((column) => column.text(key, style.now) !== "");
    const record = await formatRecord(told, key, { ...style, wide: true });
    return `${record}\n${await formatTable(versionColumns, versions, { ...style, wide })}`;
  });
  if (operation !== null)
    context.talk.hint(`a ${operation.kind} is open on it since step ${operation.step}: keyctl reconcile`);
  if (upstream?.upstream === "open")
    context.talk.hint(
      `its provider still accepts it${upstream.upstreamUrl === null ? "" : `: ${upstream.upstreamUrl}`}`,
    );
}
