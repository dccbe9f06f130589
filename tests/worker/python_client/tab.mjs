/** A host in JavaScript: prints its link, and ends with its input. */

import { Host } from "../../../src/site/client/host/host.js";
import { createSession } from "../../../src/site/client/session/session.js";

const [baseUrl, encrypted] = process.argv.slice(2);
const host = new Host(await createSession({ baseUrl, encrypted: encrypted === "encrypted" }));
host.tool({ name: "steps" }, async ({ count }, { progress }) => {
  for (let step = 1; step <= count; step++) {
    progress({ progress: step });
    await new Promise((done) => setTimeout(done, 50));
  }
  return { text: "Grüße \u{1F600}", big: [1.5, null, true] };
});
host.tool({ name: "fail" }, () => {
  throw Object.assign(new Error("No more."), { data: { left: 0 } });
});
await host.connect();
console.log(host.session.link);
process.stdin.resume().on("end", () => host.end().finally(() => process.exit()));
