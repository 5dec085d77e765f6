import type { KeyKind } from "./model.ts";

/** What each event means for a kind; the table of the design, as the use cases read it. */
export interface KindRules {
  /** Who refuses the secret once it is denied. */
  enforcedBy: "store" | "vault";
  /** What maintenance does in the vault when a grace ends or a version expires. */
  vaultAfterGrace: "disable" | "nothing";
  /** What a revoke does in the vault: always, only when the name was typed (`--confirm`), or never. */
  vaultOnRevoke: "disable" | "disable-when-confirmed" | "nothing";
  /** Whether somebody else still accepts the secret after we deny it. */
  hasUpstream: boolean;
  /** What a rollback does with the value of the version it returns to. */
  rollback: "pointer" | "put-again";
}

export const kindRules: Readonly<Record<KeyKind, KindRules>> = {
  issued: {
    enforcedBy: "store",
    vaultAfterGrace: "nothing",
    vaultOnRevoke: "nothing",
    hasUpstream: false,
    rollback: "pointer",
  },
  provider: {
    enforcedBy: "store",
    vaultAfterGrace: "nothing",
    vaultOnRevoke: "nothing",
    hasUpstream: true,
    rollback: "pointer",
  },
  secret: {
    enforcedBy: "vault",
    vaultAfterGrace: "disable",
    vaultOnRevoke: "disable",
    hasUpstream: false,
    rollback: "put-again",
  },
  encryption: {
    enforcedBy: "store",
    vaultAfterGrace: "nothing",
    vaultOnRevoke: "disable-when-confirmed",
    hasUpstream: false,
    rollback: "pointer",
  },
};
