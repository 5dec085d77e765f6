import { argv } from "node:process";
import Database from "better-sqlite3";

/** Writes to the database that is named on the command line until it is killed, and lets its log begin anew often. */
const database = new Database(argv[2]);
const write = database.prepare("update t set filler = zeroblob(?) where id in (0, 59)");
for (let bytes = 1; ; bytes = (bytes % 3000) + 1) {
  write.run(bytes);
  if (bytes % 3 === 0) database.pragma("wal_checkpoint(truncate)");
  if (bytes === 10) console.log("begun");
}
