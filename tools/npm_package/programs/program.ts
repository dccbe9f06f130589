// A host in TypeScript, in a program that knows no browser; compiled, never run.
import { createSession, Host, joinSession, Session } from "waypost";
import { fileStorage } from "waypost/node";

const storage = fileStorage("./state");
const session = Session.restore(storage) ?? (await createSession());
session.save(storage);
const host = new Host(session, { storage });
host.tool({ name: "greet" }, ({ name }, { signal }) => (signal.throwIfAborted(), `Hello ${name}`));
host.on("state", ({ state }) => console.log(state));
await host.connect();
console.log(await (await joinSession(session.code)).call("greet", { name: "Ada" }));
