/** Explores every interleaving of the agents' steps, breadth first: a violation comes with a shortest trace. */
import { advance, describeNext } from "./operations.ts";
import { initialState, type Scenario, type State, show, Violation } from "./pool-state.ts";
import { checkState } from "./rules.ts";

/** What an exploration has found. */
export interface Exploration {
  states: number;
  transitions: number;
  violation?: { rule: string; trace: string[] };
}

/**
 * States seen, one behind another in the order of their discovery, which is also the queue; and a hash
 * table of their numbers. Compared in full, so that no two states are ever taken for one.
 */
interface Seen {
  /** 32-bit words of a state. */
  width: number;
  words: Int32Array;
  /** State and agent that led to each state: predecessor × 4 + agent. */
  origins: Int32Array;
  /** The states that each state leads to, plus 1; four places for each. Kept only where agents may die. */
  next: Int32Array;
  /** Pairs of a state's number plus 1 and its hash; 0 where free. Open addressing. */
  table: Int32Array;
  count: number;
}

const FIRST_CAPACITY = 1 << 10;

/**
 * Runs the programs of a scenario, switching agents at every step in every way, and checks every state.
 * Stops at the first violation. Where agents may die, every state must also be one from which all others can
 * end: elsewhere an agent that does not get on is one whom others overtake.
 */
export function explore(scenario: Scenario): Exploration {
  const start = initialState(scenario);
  const agents = scenario.programs.length;
  const width = start.length / 2;
  const seen: Seen = {
    width,
    words: new Int32Array(FIRST_CAPACITY * width),
    origins: new Int32Array(FIRST_CAPACITY),
    next: new Int32Array(scenario.dies ? FIRST_CAPACITY * 4 : 0),
    table: new Int32Array(FIRST_CAPACITY * 4),
    count: 0,
  };
  const words = new Int32Array(width);
  const state: State = new Uint16Array(words.buffer);
  state.set(start);
  add(seen, words, -1);
  let transitions = 0;
  for (let at = 0; at < seen.count; at++) {
    for (let agent = 0; agent < agents; agent++) {
      load(seen, at, words);
      try {
        if (!advance(state, scenario, agent)) continue;
        transitions++;
        const known = seen.count;
        const to = add(seen, words, at * 4 + agent);
        if (scenario.dies) seen.next[at * 4 + agent] = to + 1;
        if (to === known) checkState(state, scenario);
      } catch (error) {
        if (!(error instanceof Violation)) throw error;
        const last = `${error.message} -> ${show(state, scenario)}`;
        const trace = [...traceTo(seen, scenario, at), step(seen, scenario, at, agent), last];
        return { states: seen.count, transitions, violation: { rule: error.message, trace } };
      }
    }
  }
  const stuck = scenario.dies ? firstStuck(seen) : -1;
  if (stuck < 0) return { states: seen.count, transitions };
  load(seen, stuck, words);
  const rule = "agents can never end";
  const trace = [...traceTo(seen, scenario, stuck), `${rule} -> ${show(state, scenario)}`];
  return { states: seen.count, transitions, violation: { rule, trace } };
}

/** The first state from which no way leads to the end of all programs, or -1. */
function firstStuck({ next, count }: Seen): number {
  const ends = new Uint8Array(count);
  // Backwards in the order of discovery until nothing changes: most ways lead forwards in it.
  for (let changed = true; changed; ) {
    changed = false;
    for (let at = count - 1; at >= 0; at--) {
      if (ends[at] === 1 || !leadsToEnd(next, ends, at)) continue;
      ends[at] = 1;
      changed = true;
    }
  }
  return ends.indexOf(0);
}

function leadsToEnd(next: Int32Array, ends: Uint8Array, at: number): boolean {
  let last = true;
  for (let i = at * 4; i < at * 4 + 4; i++) {
    if (next[i] === 0) continue;
    if (ends[next[i]! - 1] === 1) return true;
    last = false;
  }
  return last;
}

function load(seen: Seen, at: number, into: Int32Array): void {
  const { words, width } = seen;
  for (let i = 0, from = at * width; i < width; i++) into[i] = words[from + i]!;
}

/** Enters a state if it is not there. Returns its number. */
function add(seen: Seen, state: Int32Array, origin: number): number {
  const { width, table } = seen;
  const mask = table.length - 2;
  const h = hash(state);
  let place = (h << 1) & mask;
  for (let known = table[place]!; known !== 0; known = table[place]!) {
    // The hash lies beside the number; the state itself, likely not in the processor's cache, is read at last.
    if (table[place + 1] === h && equal(seen.words, (known - 1) * width, state)) return known - 1;
    place = (place + 2) & mask;
  }
  if (seen.count === seen.origins.length) {
    enlarge(seen);
    return add(seen, state, origin);
  }
  seen.words.set(state, seen.count * width);
  seen.origins[seen.count] = origin;
  table[place] = ++seen.count;
  table[place + 1] = h;
  return seen.count - 1;
}

function hash(state: Int32Array): number {
  let h = 0;
  for (let i = 0; i < state.length; i++) {
    h = Math.imul(h ^ state[i]!, 0x9e3779b1);
    h ^= h >>> 15;
  }
  return h;
}

function equal(words: Int32Array, from: number, state: Int32Array): boolean {
  for (let i = 0; i < state.length; i++) if (words[from + i] !== state[i]) return false;
  return true;
}

function enlarge(seen: Seen): void {
  const capacity = seen.origins.length * 2;
  const words = new Int32Array(capacity * seen.width);
  words.set(seen.words);
  const origins = new Int32Array(capacity);
  origins.set(seen.origins);
  const next = new Int32Array(seen.next.length * 2);
  next.set(seen.next);
  const table = new Int32Array(capacity * 4);
  const mask = table.length - 2;
  for (let i = 0; i < seen.table.length; i += 2) {
    if (seen.table[i] === 0) continue;
    const h = seen.table[i + 1]!;
    let place = (h << 1) & mask;
    while (table[place] !== 0) place = (place + 2) & mask;
    table[place] = seen.table[i]!;
    table[place + 1] = h;
  }
  Object.assign(seen, { words, origins, next, table });
}

/** The steps that led to a state, from the start. */
function traceTo(seen: Seen, scenario: Scenario, at: number): string[] {
  const trace: string[] = [];
  for (let to = at; seen.origins[to]! >= 0; ) {
    const origin = seen.origins[to]!;
    trace.push(step(seen, scenario, origin >> 2, origin & 3));
    to = origin >> 2;
  }
  return trace.reverse();
}

/** A step in words, with the state that it was made in. */
function step(seen: Seen, scenario: Scenario, at: number, agent: number): string {
  const words = new Int32Array(seen.width);
  load(seen, at, words);
  const state = new Uint16Array(words.buffer);
  return `${show(state, scenario)} -> ${describeNext(state, scenario, agent)}`;
}
