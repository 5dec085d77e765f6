import type { CommandDefinition } from "./command.ts";
import { actorAddCommand } from "./commands/actor-add.ts";
import { actorGrantCommand } from "./commands/actor-grant.ts";
import { actorListCommand } from "./commands/actor-list.ts";
import { actorRevokeCommand } from "./commands/actor-revoke.ts";
import { auditEraseCommand } from "./commands/audit-erase.ts";
import { auditExportCommand } from "./commands/audit-export.ts";
import { auditListCommand } from "./commands/audit-list.ts";
import { auditVerifyCommand } from "./commands/audit-verify.ts";
import { completionCommand } from "./commands/completion.ts";
import { createCommand } from "./commands/create.ts";
import { deleteCommand } from "./commands/delete.ts";
import { demoCommand } from "./commands/demo.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { execCommand } from "./commands/exec.ts";
import { initCommand } from "./commands/init.ts";
import { leakScanCommand } from "./commands/leak-scan.ts";
import { listCommand } from "./commands/list.ts";
import { profileListCommand } from "./commands/profile-list.ts";
import { profileUseCommand } from "./commands/profile-use.ts";
import { reconcileCommand } from "./commands/reconcile.ts";
import { restoreCommand } from "./commands/restore.ts";
import { resumeCommand } from "./commands/resume.ts";
import { revealCommand } from "./commands/reveal.ts";
import { revokeCommand } from "./commands/revoke.ts";
import { rollbackCommand } from "./commands/rollback.ts";
import { rotateCommand } from "./commands/rotate.ts";
import { showCommand } from "./commands/show.ts";
import { statusCommand } from "./commands/status.ts";
import { suspendCommand } from "./commands/suspend.ts";
import { tenantCreateCommand } from "./commands/tenant-create.ts";
import { tenantDeleteCommand } from "./commands/tenant-delete.ts";
import { tenantListCommand } from "./commands/tenant-list.ts";
import { tenantShowCommand } from "./commands/tenant-show.ts";
import { updateCommand } from "./commands/update.ts";
import { verifyCommand } from "./commands/verify.ts";

/** Every verb, in the order in which help shows them. */
export const commands: readonly CommandDefinition[] = [
  initCommand,
  profileListCommand,
  profileUseCommand,
  demoCommand,
  completionCommand,
  createCommand,
  listCommand,
  showCommand,
  updateCommand,
  verifyCommand,
  revealCommand,
  execCommand,
  rotateCommand,
  rollbackCommand,
  deleteCommand,
  restoreCommand,
  revokeCommand,
  suspendCommand,
  resumeCommand,
  statusCommand,
  reconcileCommand,
  doctorCommand,
  auditListCommand,
  auditExportCommand,
  auditVerifyCommand,
  auditEraseCommand,
  leakScanCommand,
  tenantCreateCommand,
  tenantListCommand,
  tenantShowCommand,
  tenantDeleteCommand,
  actorAddCommand,
  actorListCommand,
  actorGrantCommand,
  actorRevokeCommand,
];
