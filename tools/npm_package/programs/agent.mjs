// Calls the tool that the command line names, and prints the result.
import { joinSession } from "waypost";

const [code, tool, args = "{}"] = process.argv.slice(2);
const guest = await joinSession(code);
console.log(JSON.stringify(await guest.call(tool, JSON.parse(args), { id: `call-${tool}` })));
