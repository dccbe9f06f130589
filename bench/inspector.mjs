// Asks the inspector of workerd: `node inspector.mjs PORT SERVICE memory`, or `… profile SECONDS`; prints JSON.
const [port, service, what, seconds] = process.argv.slice(2);
const socket = new WebSocket(`ws://127.0.0.1:${port}/${service}`);
const waiting = new Map();
let last = 0;
let context;

socket.onmessage = ({ data }) => {
  const { id, result, error, params } = JSON.parse(data);
  context ??= params?.context?.id;
  const done = waiting.get(id);
  if (!done) return;
  waiting.delete(id);
  if (error) done.reject(new Error(error.message));
  else done.resolve(result);
};

function ask(method, params = {}) {
  const id = ++last;
  socket.send(JSON.stringify({ id, method, params }));
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
}

// JavaScript's heap, and the memory of every WebAssembly instance: Python's heap is one.
async function memory() {
  await ask("Runtime.enable");
  const prototype = await ask("Runtime.evaluate", {
    expression: "WebAssembly.Memory.prototype",
    contextId: context,
  });
  const found = await ask("Runtime.queryObjects", { prototypeObjectId: prototype.result.objectId });
  const sizes = await ask("Runtime.callFunctionOn", {
    objectId: found.objects.objectId,
    functionDeclaration: "function () { return this.reduce((sum, memory) => sum + memory.buffer.byteLength, 0); }",
    returnByValue: true,
  });
  // The query has collected the garbage, so this is what is held.
  const heap = await ask("Runtime.getHeapUsage");
  return { javascript: heap.usedSize, wasm: sizes.result.value };
}

async function profile() {
  await ask("Profiler.enable");
  await ask("Profiler.setSamplingInterval", { interval: 200 });
  await ask("Profiler.start");
  await new Promise((resolve) => setTimeout(resolve, Number(seconds) * 1000));
  return (await ask("Profiler.stop")).profile;
}

await new Promise((resolve, reject) => {
  socket.onopen = resolve;
  socket.onerror = () => reject(new Error("the inspector does not answer"));
});
process.stdout.write(JSON.stringify(await { memory, profile }[what]()), () => process.exit(0));
