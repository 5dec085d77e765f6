/**
 * One command line in a process of its own, that stops itself at a point: `node kill-child.js POINT NOW VERB …`.
 *
 * POINT is `never`, or `<signal> <when> <step>`:
 * - `before record`: the command has read and planned, and has written nothing
 * - `inside S`: the transaction that records step S has done its work and is not committed
 * - `after S`: step S is done
 * `inside answer` is the transaction that notes that the vault has denied something.
 *
 * The signal is `SIGKILL`, or `SIGSTOP`: then it goes on at SIGCONT. On descriptor 3 it says a line for each step that is
 * done, and `reached` before it stops.
 */
import { writeSync } from "node:fs";
import type { Store, StoreTransaction } from "../../src/app/ports.ts";
import type { Services, Session, SessionOptions } from "../../src/cli/context.ts";
import { runProgram } from "../../src/cli/program.ts";
import { processIo } from "../../src/cli/process-io.ts";
import { commands } from "../../src/cli/tree.ts";
import { composeServices } from "../../src/compose.ts";

const [point = "", now = "", ...argv] = process.argv.slice(2);
const [signal = "", ...rest] = point.split(" ");
const wanted = rest.join(" ");
let isReached = false;

function reach(name: string): void {
  if (name !== wanted || isReached) return;
  isReached = true;
  writeSync(3, "reached\n");
  process.kill(process.pid, signal);
}

/** Which step the transaction records, seen by what it calls. */
function watched(tx: StoreTransaction, record: (step: string) => void): StoreTransaction {
  return {
    ...tx,
    insertOperation: async (operation) => {
      record("record");
      await tx.insertOperation(operation);
    },
    advanceOperation: async (change) => {
      const isAdvanced = await tx.advanceOperation(change);
      if (isAdvanced && change.from !== change.to) record(change.to);
      return isAdvanced;
    },
    insertRevocations: async (revocations) => {
      record("point");
      await tx.insertRevocations(revocations);
    },
    finishOutbox: async (id, at) => {
      record("answer");
      await tx.finishOutbox(id, at);
    },
  };
}

function stoppable(store: Store): Store {
  return {
    ...store,
    transaction: async (work) => {
      reach("before record");
      return await store.transaction(async (tx) => {
        const steps: string[] = [];
        const result = await work(watched(tx, (step) => steps.push(step)));
        for (const step of steps) reach(`inside ${step}`);
        return result;
      });
    },
  };
}

function stoppableServices(services: Services): Services {
  const openSession =
    (open: (options: SessionOptions) => Promise<Session>) =>
    async (options: SessionOptions): Promise<Session> => {
      const session = await open(options);
      return { ...session, store: stoppable(session.store) };
    };
  return {
    ...services,
    resolve: async (globals, planned) => {
      const place = await services.resolve(globals, planned);
      return { ...place, openSession: openSession(async (options) => await place.openSession(options)) };
    },
  };
}

const system = {
  pid: process.pid,
  platform: process.platform,
  uid: process.getuid?.() ?? null,
  tool: "keyctl/test",
  node: process.execPath,
  script: "",
  nodeVersion: process.versions.node,
  nodeRange: ">=22",
  signals: process,
};

process.umask(0o077);
process.exitCode = await runProgram(
  argv,
  { ...processIo(process), login: "tester", now: () => Number(now) },
  {
    commands,
    version: "test",
    loadServices: async (io, talk) => {
      const observer: Session["observer"] = (step) => {
        writeSync(3, `step ${step}\n`);
        reach(`after ${step}`);
      };
      return await Promise.resolve(stoppableServices(composeServices({ io, talk, system, observer })));
    },
  },
);
