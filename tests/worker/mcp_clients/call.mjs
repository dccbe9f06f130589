// One call by a client that its arguments choose: prints the progress it hears and what became of the call, a JSON object
// a line.
//
//     node call.mjs URL "SDK 2, legacy" hold '{"n": 1}'
//     node call.mjs URL tasks hold_long '{"n": 1}'

import { callAsTask } from "./task-client.mjs";
import { CLIENTS } from "./sdk-clients.mjs";

const [url, kind, name, args] = process.argv.slice(2);
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

async function call() {
  if (kind === "tasks") return callAsTask(url, name, JSON.parse(args), (status) => say({ event: "task", status }));
  const { call } = await CLIENTS[kind].connect(url);
  return call(name, JSON.parse(args), { onprogress: (progress) => say({ event: "progress", progress }) });
}

try {
  say({ event: "result", result: await call() });
} catch (error) {
  say({ event: "error", message: error.message });
}
process.exit();
