/** The process of one suite in Node, Deno or Bun: `child.mjs SUITE EFFORT`; its last line of output is the result. */
import { SUITES } from "../suites/index.mjs";
import { nodeContext } from "./context-node.mjs";
import { coreBinary } from "./core-binary.mjs";
import { runtimeVersion } from "./machine.mjs";
import { EFFORTS, measureSuite } from "./measure.mjs";

const [, , name, effort] = process.argv;
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
console.log = console.info = console.warn = console.error; // what a peer says is no result

const context = await nodeContext(effort === "counts");
let answer;
try {
  const result = await measureSuite(SUITES[name], context, EFFORTS[effort], (at) => say({ at }));
  answer = { version: runtimeVersion(), core: await coreBinary(context.wavepool), result };
} catch (error) {
  answer = { failed: error.message };
}
process.stdout.write(`${JSON.stringify(answer)}\n`, () => {
  context.end?.();
  process.exit(0);
});
