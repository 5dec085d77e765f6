import { describe } from "vitest";
import { attentionContract } from "./contract-attention.ts";
import { auditContract } from "./contract-audit.ts";
import { keyContract } from "./contract-keys.ts";
import { listContract } from "./contract-list.ts";
import { operationContract } from "./contract-operations.ts";
import { teamContract } from "./contract-team.ts";
import { transactionContract } from "./contract-transactions.ts";
import { usageContract } from "./contract-usage.ts";
import { versionContract } from "./contract-versions.ts";
import type { NewPlace } from "./place.ts";

/** What every store promises, whatever database it stands on; each database's test runs it unchanged. */
export function describeStoreContract(name: string, newPlace: NewPlace): void {
  describe(`${name} store: transactions`, () => transactionContract(newPlace));
  describe(`${name} store: tenants, actors and keys`, () => keyContract(newPlace));
  describe(`${name} store: roles, and tenants that end`, () => teamContract(newPlace));
  describe(`${name} store: lists of keys`, () => listContract(newPlace));
  describe(`${name} store: versions`, () => versionContract(newPlace));
  describe(`${name} store: operations, outbox and revocations`, () => operationContract(newPlace));
  describe(`${name} store: what needs attention`, () => attentionContract(newPlace));
  describe(`${name} store: audit log`, () => auditContract(newPlace));
  describe(`${name} store: use of keys`, () => usageContract(newPlace));
}
