// A host that keeps its session in a folder. Its tool ends only in a call that was begun before a restart.
import { createSession, Host, Session } from "waypost";
import { fileStorage } from "waypost/node";

const storage = fileStorage(process.argv[2]);
const session = Session.restore(storage) ?? (await createSession());
session.save(storage);
const host = new Host(session, { storage });
host.tool({ name: "work" }, (_, { id, restarted }) => {
  console.log(`began ${id} ${restarted}`);
  return restarted ? "done" : new Promise(() => {});
});
await host.connect();
console.log(`code ${session.code}`);
