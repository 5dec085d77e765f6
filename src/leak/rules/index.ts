import type { LeakRule } from "../rule.ts";
import { cloudRules } from "./clouds.ts";
import { codeHostRules } from "./code-hosts.ts";
import { genericRules } from "./generic.ts";
import { modelRules } from "./models.ts";
import { serviceRules } from "./services.ts";
import { supplyChainRules } from "./supply-chain.ts";

/** Every built-in rule. Where two claim the same text with the same confidence, the one that stands first here is reported. */
export const leakRules: readonly LeakRule[] = [
  ...modelRules,
  ...cloudRules,
  ...codeHostRules,
  ...serviceRules,
  ...supplyChainRules,
  ...genericRules,
];
