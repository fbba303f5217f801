/** The operations of the pool, and how an agent goes on with its program. */
import { acquire } from "./acquire-steps.ts";
import { ALONE, AT, agentAt, DEAD, OPERATION, type Scenario, STEP, type State } from "./pool-state.ts";
import { reclaim, reclaimOther } from "./reclaim-steps.ts";
import { borrow, release, releaseAgain, releaseNewest, retain } from "./release-steps.ts";
import { close, grow, trim } from "./resize-steps.ts";
import { type Operation, stepOf } from "./steps.ts";

const operations: Operation[] = [];
for (const operation of [
  acquire,
  release,
  releaseNewest,
  releaseAgain,
  retain,
  borrow,
  grow,
  trim,
  close,
  reclaim,
  reclaimOther,
]) {
  operations[operation.code] = operation;
}

/** The operation that an agent is at, or undefined when its program is done or it is dead. */
function operationAt(s: State, scenario: Scenario, agent: number): Operation | undefined {
  const program = scenario.programs[agent]!;
  const a = agentAt(scenario, agent);
  const at = s[a + AT]!;
  return at < program.length && s[a + DEAD] === 0 ? operations[program.charCodeAt(at)]! : undefined;
}

/** Lets an agent make its next step. Returns false when its program is done. */
export function advance(s: State, scenario: Scenario, agent: number): boolean {
  const operation = operationAt(s, scenario, agent);
  if (operation === undefined) return false;
  const a = agentAt(scenario, agent);
  let alone = 1;
  for (let other = 0; other < scenario.programs.length; other++) {
    const b = agentAt(scenario, other);
    if (other === agent || s[b + STEP] === 0) continue;
    alone = 0;
    s[b + ALONE] = 0;
  }
  if (s[a + STEP] === 0) {
    s[a + STEP] = operation.first;
    s[a + OPERATION] = operation.code;
    s[a + ALONE] = alone;
    operation.prepare?.(s, a);
  }
  stepOf(s[a + STEP]!).act(s, a, scenario);
  return true;
}

/** What an agent will do next, in words. */
export function describeNext(s: State, scenario: Scenario, agent: number): string {
  const operation = operationAt(s, scenario, agent)!;
  const step = s[agentAt(scenario, agent) + STEP]! || operation.first;
  return `agent ${agent}, ${String.fromCharCode(operation.code)}: ${stepOf(step).name}`;
}
