/** A guest in JavaScript: makes calls of the host at a link, and prints what came of them as JSON. */

import { joinSession } from "../../../src/site/client/session/guest.js";

const guest = await joinSession(process.argv[2]);
const progress = [];
const noted = await guest.call("note", { text: "Grüße \u{1F600}" }, { onProgress: (report) => progress.push(report) });
const sum = await guest.call("add", { a: 1, b: 2 });
const failed = await guest.call("add", { a: "1" }).catch(({ code, authenticated }) => ({ code, authenticated }));
const { tools, encrypted } = await guest.session();
console.log(JSON.stringify({ noted, sum, failed, progress, encrypted, names: tools.map(({ name }) => name) }));
process.exit();
