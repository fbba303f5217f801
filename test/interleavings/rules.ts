/** What must hold of a pool: in every state, and in those where every agent stands between operations. */
import {
  ACQUIRES,
  ASIDE,
  agentAt,
  BUFFER,
  BUSY,
  CLOSED,
  DEAD,
  DOUBLE_RELEASES,
  EXHAUSTED,
  FREE,
  GROWN,
  HEAD,
  HELD,
  HELD_MAX,
  INDEX,
  indexOf,
  inUseOf,
  LEAKED,
  LEFT_BUSY,
  LOST,
  NEXT,
  NIL,
  OWNER,
  REFERENCES,
  REGION,
  RELEASES,
  RETAINED,
  RETAINS,
  retainsOf,
  type Scenario,
  SERVING,
  STATE,
  STEP,
  type State,
  sameTenancy,
  slotAt,
  TRIED_ACQUIRES,
  TRIED_SECOND_RELEASES,
  TRIMMED,
  topOf,
  Violation,
  WORD,
} from "./pool-state.ts";
import { isBusy, isOff } from "./steps.ts";

function require(holds: boolean, rule: string): void {
  if (!holds) throw new Violation(rule);
}

/** Marks a slot as found in one place. */
function place(found: number, index: number, scenario: Scenario): number {
  require(index < scenario.slots, "a link leads nowhere");
  require((found & (1 << index)) === 0, "a slot is in two places at once");
  return found | (1 << index);
}

/** Every slot is on the stack, leased, or in the hands of one agent; regions and references add up. */
function checkPlaces(s: State, scenario: Scenario): void {
  const { slots, programs } = scenario;
  let found = s[LOST]!;
  let onStack = 0;
  for (let index = topOf(s[HEAD]!); index !== NIL; index = s[slotAt(index) + NEXT]!) {
    found = place(found, index, scenario);
    onStack++;
  }
  let regions = s[FREE]! + s[LEAKED]!;
  for (let agent = 0; agent < programs.length; agent++) {
    const a = agentAt(scenario, agent);
    regions += s[a + REGION]!;
    if (isOff(s[a + STEP]!)) found = place(found, s[a + INDEX]!, scenario);
    for (let aside = s[a + ASIDE]!; aside !== 0; ) {
      found = place(found, aside - 1, scenario);
      const below = s[slotAt(aside - 1) + NEXT]!;
      aside = below === NIL ? 0 : below + 1;
    }
  }
  for (let i = 0; i < slots; i++) {
    const slot = slotAt(i);
    regions += s[slot + BUFFER]!;
    if ((s[slot + WORD]! & REFERENCES) !== 0) found = place(found, i, scenario);
    else require((found & (1 << i)) !== 0, "a slot is lost");
  }
  require(regions === scenario.regions, "regions do not add up");
  require(inUseOf(s[HEAD]!) === slots - onStack, "the count in use is not that of the slots off the stack");
}

function checkSlot(s: State, scenario: Scenario, index: number): void {
  const slot = slotAt(index);
  const word = s[slot + WORD]!;
  let owed = 0;
  let keepers = (s[LEFT_BUSY]! >> index) & 1;
  for (let agent = 0; agent < scenario.programs.length; agent++) {
    const a = agentAt(scenario, agent);
    if (isBusy(s[a + STEP]!) && s[a + INDEX] === index) keepers++;
    for (let i = a + HELD; i < a + HELD + HELD_MAX && s[i] !== 0; i++) {
      const handle = s[i]! >> 4;
      if (indexOf(handle) !== index) continue;
      require(sameTenancy(word, handle), "a slot is held in a tenancy that is over");
      owed += s[i]! & 0xf;
    }
  }
  require(owed === (word & REFERENCES), "references are not those that the agents owe");
  require(keepers ===
    ((word & STATE) === BUSY ? 1 : 0), "busy is not the state of a slot that one agent keeps");
  if (owed > 0) require((word & STATE) === SERVING, "a leased slot is not in service");
  if ((word & STATE) === BUSY) return;
  const buffers = (word & STATE) === SERVING ? 1 : 0;
  require(s[slot + BUFFER] === buffers, "a slot in service has no buffer, or a retired one has");
}

/** Owner and retains of every lease say what the agent owes: were it to die, this is what would be reclaimed. */
function checkBooks(s: State, scenario: Scenario, agent: number): void {
  const held = agentAt(scenario, agent) + HELD;
  for (let i = 0; i < scenario.slots; i++) {
    const slot = slotAt(i);
    if ((s[slot + WORD]! & REFERENCES) === 0) continue;
    const retains = (s[slot + RETAINS]! & RETAINED) === 0 ? 0 : retainsOf(s[slot + RETAINS]!, agent);
    let owed = 0;
    for (let j = held; j < held + HELD_MAX && s[j] !== 0; j++) {
      if (indexOf(s[j]! >> 4) === i) owed += s[j]! & 0xf;
    }
    const owner = s[slot + OWNER] === agent + 1 ? 1 : 0;
    require(owed === retains + owner, "an agent's books are not what it owes");
  }
}

/** All operations have ended: counters, stack and words say the same. */
function checkCounters(s: State, scenario: Scenario): void {
  const { slots, initial, programs } = scenario;
  let leased = 0;
  let serving = 0;
  for (let i = 0; i < slots; i++) {
    const word = s[slotAt(i) + WORD]!;
    if ((word & REFERENCES) !== 0) leased++;
    if ((word & STATE) === SERVING) serving++;
    require((word & STATE) !== BUSY || s[LEFT_BUSY] !== 0, "a slot stays busy");
    const idle = (word & (STATE | REFERENCES)) === SERVING;
    require(s[CLOSED] === 0 || !idle, "a closed pool keeps a free buffer");
  }
  let died = false;
  let reclaimed = true;
  for (let agent = 0; agent < programs.length; agent++) {
    const a = agentAt(scenario, agent);
    if (s[a + DEAD]! > 0) died = true;
    if (s[a + DEAD] === 1) reclaimed = false;
    require(s[a + DEAD] !== 2 || s[a + HELD] === 0, "a dead agent's leases are not all reclaimed");
    if (scenario.dies && s[a + DEAD] === 0) checkBooks(s, scenario, agent);
  }
  if (!reclaimed) return;
  require(s[LOST] === 0 && s[LEFT_BUSY] === 0, "a dead agent's slots are not all recovered");
  require(inUseOf(s[HEAD]!) === leased, "in use is not what is leased");
  if (died) return; // what it was about to count is not counted
  require(s[ACQUIRES]! - s[RELEASES]! === leased, "acquires less releases is not what is leased");
  require(s[ACQUIRES]! + s[EXHAUSTED]! === s[TRIED_ACQUIRES], "an acquire is not counted");
  require(s[DOUBLE_RELEASES] === s[TRIED_SECOND_RELEASES], "double releases are not those tried");
  // Releases in a closed pool retire slots too, and do not count that.
  if (s[CLOSED] === 0)
    require(initial + s[GROWN]! - s[TRIMMED]! ===
      serving, "grown less trimmed is not what came into service");
}

/** Throws a {@link Violation} when a state breaks a rule. */
export function checkState(s: State, scenario: Scenario): void {
  const { slots, floor, programs } = scenario;
  checkPlaces(s, scenario);
  let inService = 0;
  for (let i = 0; i < slots; i++) {
    checkSlot(s, scenario, i);
    inService += s[slotAt(i) + BUFFER]!;
  }
  require(inService >= floor || s[CLOSED] === 1, "trimming went below the floor");
  for (let agent = 0; agent < programs.length; agent++) {
    if (s[agentAt(scenario, agent) + STEP] !== 0) return;
  }
  checkCounters(s, scenario);
}
