// A KV namespace that takes as long as the platform's: in front of Miniflare's, which answers within milliseconds. It is
// bound as a service, whose methods are a namespace's, so that a Worker in any language takes it for one. And the front
// door of the Workers that use it: the header X-Worker chooses one, PUT /latencies sets how long operations take.
import { WorkerEntrypoint } from "cloudflare:workers";

let latencies = {};
let seed = 1;

// mulberry32: the same waits in the same order at every run.
function random() {
  seed = (seed + 0x6d2b79f5) | 0;
  let mixed = Math.imul(seed ^ (seed >>> 15), seed | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
}

// The milliseconds at a random place between percentiles, [[0, ms], [50, ms], …]; beyond the last one, its own.
function drawn(percentiles) {
  const place = random() * 100;
  const above = percentiles.findIndex(([percent]) => percent > place);
  if (above < 0) return percentiles.at(-1)[1];
  const [[from, low], [to, high]] = percentiles.slice(above - 1, above + 1);
  return low * (high / low) ** ((place - from) / (to - from));
}

// The operation runs while its time passes: what Miniflare takes is within it. Timers hold up nothing.
async function slowly(operation, work) {
  const percentiles = latencies[operation];
  const waited = percentiles ? scheduler.wait(drawn(percentiles)) : undefined;
  const [outcome] = await Promise.allSettled([work, waited]);
  if (outcome.status === "rejected") throw outcome.reason;
  return outcome.value;
}

export class Namespace extends WorkerEntrypoint {
  get #kv() {
    return this.env[this.ctx.props.namespace];
  }
  get(key, options) {
    return slowly("get", this.#kv.get(key, options));
  }
  list(options) {
    return slowly("list", this.#kv.list(options));
  }
  put(key, value, options) {
    return slowly("write", this.#kv.put(key, value, options));
  }
  delete(key) {
    return slowly("write", this.#kv.delete(key));
  }
}

export default {
  async fetch(request, env) {
    if (request.method === "PUT" && new URL(request.url).pathname === "/latencies") {
      ({ latencies, seed } = await request.json());
      return new Response(null, { status: 204 });
    }
    return env[request.headers.get("X-Worker") ?? env.FIRST].fetch(request);
  },
};
