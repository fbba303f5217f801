/** The process of one contender, see children.mjs: answers requests until its input ends. */
import { createInterface } from "node:readline";
import { bytesPerCall } from "./allocation.mjs";
import { CONTENDERS } from "./contenders.mjs";
import { speechLike } from "./signal.mjs";

const answer = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
console.log = console.error; // what a peer says is no answer

const longest = speechLike(480000);
const jobs = [];
let prepare;

const requests = {
  async load() {
    prepare = await CONTENDERS[process.argv[2]].load(longest);
  },
  async prepare({ mels, seconds, pad }) {
    const clip = longest.subarray(0, Math.round(seconds * 16000));
    return jobs.push(await prepare({ mels, pad, clip })) - 1;
  },
  /** The mean of so many calls; their promises are awaited where there are any. */
  async time(job, calls) {
    const { run, asynchronous } = jobs[job];
    const start = performance.now();
    if (asynchronous) for (let i = 0; i < calls; i++) await run();
    else for (let i = 0; i < calls; i++) run();
    return (performance.now() - start) / calls;
  },
  bytes: (job) => bytesPerCall(jobs[job].run),
  async features(job) {
    const { buffer, byteOffset, byteLength } = await jobs[job].features();
    return Buffer.from(buffer, byteOffset, byteLength).toString("base64");
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...values] = JSON.parse(line);
  try {
    answer({ value: (await requests[name](...values)) ?? null });
  } catch (error) {
    answer({ error: error.message.split("\n")[0] });
  }
}
