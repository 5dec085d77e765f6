import type { KeyRecord } from "../core/model.ts";
import type { Deps } from "./deps.ts";
import type { Operation } from "./ports.ts";
import { rollbackWork } from "./rollback-work.ts";
import type { OperationWork } from "./run-operation.ts";
import { versionWork } from "./version-work.ts";

/** The steps' work for an operation found in the store, made from its row alone. */
export function operationWork(deps: Deps, key: KeyRecord, operation: Operation): OperationWork {
  return operation.kind === "rollback" ? rollbackWork(deps, key) : versionWork(deps, key);
}
