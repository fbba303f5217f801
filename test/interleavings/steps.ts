/**
 * Steps: each makes one access to memory that agents share, and says which comes next. What an agent does
 * with its own registers belongs to the step before.
 */
import {
  AFTER_ENTRY,
  AGENT_FIELDS,
  AT,
  agentOf,
  ENDED,
  ENTRY,
  exchangeHead,
  HEAD,
  HEAD_SEEN,
  HELD,
  INDEX,
  JOURNAL,
  NEXT,
  NEXT_SEEN,
  NIL,
  REGISTERS,
  type Scenario,
  STEP,
  type State,
  slotAt,
  topOf,
} from "./pool-state.ts";

/** Changes the state; `a` is the offset of the agent's registers. */
export type Action = (s: State, a: number, scenario: Scenario) => void;

/**
 * What an agent has of the slot in its INDEX when this step is next. `undying`: no loop and no call lies
 * before it since the last step, so that no engine ends the thread here.
 */
export const HANDS = { none: 0, off: 1, busy: 2, offAndBusy: 3, undying: 4 } as const;

export interface Step {
  name: string;
  act: Action;
  hands: number;
}

const steps: Step[] = [{ name: "between operations", act: () => {}, hands: HANDS.none }];

/**
 * Registers a step. Returns its number.
 *
 * @param hands whether the agent has its slot off the stack, and whether it holds its word busy.
 */
export function defineStep(name: string, act: Action, hands: number = HANDS.none): number {
  return steps.push({ name, act, hands }) - 1;
}

export const stepOf = (step: number) => steps[step]!;
export const isOff = (step: number) => (steps[step]!.hands & HANDS.off) !== 0;
export const isBusy = (step: number) => (steps[step]!.hands & HANDS.busy) !== 0;
export const isUndying = (step: number) => (steps[step]!.hands & HANDS.undying) !== 0;

const letter = (text: string) => text.charCodeAt(0);
export const ACQUIRE = letter("A");
/** Gives back a reference to the oldest handle held. */
export const RELEASE = letter("R");
/** As RELEASE, of the newest handle held. */
export const RELEASE_NEWEST = letter("N");
/** Releases the handle again whose tenancy this agent has ended: must be refused, and counted. */
export const RELEASE_AGAIN = letter("D");
/** Adds a reference to the newest handle held. */
export const RETAIN = letter("K");
/** Adds a reference to the handle acquired last, by whichever agent: its tenancy may end at the same time. */
export const BORROW = letter("B");
export const GROW = letter("G");
export const TRIM = letter("T");
export const CLOSE = letter("C");
/** Agent 0 dies, and this agent reclaims what it held and recovers what it was moving. */
export const RECLAIM = letter("X");
/** As RECLAIM, of agent 1. */
export const RECLAIM_OTHER = letter("Y");

/** An operation: the letter that stands for it in programs, its first step, and what its registers hold then. */
export interface Operation {
  code: number;
  first: number;
  prepare?(s: State, a: number): void;
}

/** Enters a slot in the journal, where journals are kept, with `hands` on it meanwhile; `next` follows. */
export function enter(s: State, a: number, scenario: Scenario, entry: number, next: number, hands = 0): void {
  if (!scenario.dies || s[a + JOURNAL] === entry) {
    s[a + STEP] = next;
    return;
  }
  s[a + ENTRY] = entry;
  s[a + AFTER_ENTRY] = next;
  s[a + STEP] = hands === HANDS.off ? ENTER_OFF : ENTER;
}
const storeEntry: Action = (s, a) => {
  s[a + JOURNAL] = s[a + ENTRY]!;
  s[a + STEP] = s[a + AFTER_ENTRY]!;
  s[a + ENTRY] = 0;
  s[a + AFTER_ENTRY] = 0;
};
const ENTER = defineStep("store journal", storeEntry);
const ENTER_OFF = defineStep("store journal", storeEntry, HANDS.off);

/** Ends the operation of an agent, its journal struck out. */
export function finish(s: State, a: number, scenario: Scenario): void {
  if (s[a + JOURNAL] === 0) leave(s, a, scenario);
  else s[a + STEP] = STRIKE_OUT;
}
const STRIKE_OUT = defineStep("strike out journal", (s, a, scenario) => {
  s[a + JOURNAL] = 0;
  leave(s, a, scenario);
});

/** Ends the operation of an agent and leaves its journal as it is: on to the next operation that has an object. */
export function leave(s: State, a: number, scenario: Scenario): void {
  s.fill(0, a + REGISTERS, a + AGENT_FIELDS);
  const program = scenario.programs[agentOf(scenario, a)]!;
  do s[a + AT]! += 1;
  while (s[a + AT]! < program.length && !hasObject(s, a, program.charCodeAt(s[a + AT]!)));
}

function hasObject(s: State, a: number, operation: number): boolean {
  if (operation === RELEASE || operation === RETAIN) return s[a + HELD] !== 0;
  if (operation === RELEASE_NEWEST) return s[a + HELD + 1] !== 0;
  if (operation === RELEASE_AGAIN) return s[a + ENDED] !== 0;
  return true;
}

/** Puts the slot in INDEX, which the agent has off the stack, back on it; `pushed` follows. Returns the first step. */
export function definePush(name: string, pushed: Action): number {
  const load = defineStep(
    `${name}: load head`,
    (s, a) => {
      s[a + HEAD_SEEN] = s[HEAD]!;
      s[a + STEP] = link;
    },
    HANDS.off,
  );
  const link = defineStep(
    `${name}: store slot.next`,
    (s, a) => {
      s[slotAt(s[a + INDEX]!) + NEXT] = topOf(s[a + HEAD_SEEN]!);
      s[a + STEP] = exchange;
    },
    HANDS.off,
  );
  const exchange = defineStep(
    `${name}: exchange head`,
    (s, a, scenario) => {
      const seen = s[HEAD]!;
      const done = exchangeHead(s, scenario, s[a + HEAD_SEEN]!, s[a + INDEX]!, -1);
      s[a + HEAD_SEEN] = done ? 0 : seen;
      if (!done) s[a + STEP] = link;
      else {
        s[a + INDEX] = 0;
        pushed(s, a, scenario);
      }
    },
    HANDS.off,
  );
  return load;
}

/**
 * Pops the slot on top. `popped` follows, or `empty` when there is none. Returns the first step.
 *
 * @param enters whether the slot is entered in the journal first.
 */
export function definePop(name: string, popped: Action, empty: Action, enters: boolean): number {
  const look: Action = (s, a, scenario) => {
    const index = topOf(s[a + HEAD_SEEN]!);
    if (index === NIL) empty(s, a, scenario);
    else if (enters) enter(s, a, scenario, index + 1, link);
    else s[a + STEP] = link;
  };
  const load = defineStep(`${name}: load head`, (s, a, scenario) => {
    s[a + HEAD_SEEN] = s[HEAD]!;
    look(s, a, scenario);
  });
  const link = defineStep(`${name}: load slot.next`, (s, a) => {
    s[a + NEXT_SEEN] = s[slotAt(topOf(s[a + HEAD_SEEN]!)) + NEXT]!;
    s[a + STEP] = exchange;
  });
  const exchange = defineStep(`${name}: exchange head`, (s, a, scenario) => {
    const seen = s[HEAD]!;
    const done = exchangeHead(s, scenario, s[a + HEAD_SEEN]!, s[a + NEXT_SEEN]!, 1);
    s[a + NEXT_SEEN] = 0;
    if (done) {
      s[a + INDEX] = topOf(s[a + HEAD_SEEN]!);
      s[a + HEAD_SEEN] = 0;
      popped(s, a, scenario);
      return;
    }
    s[a + HEAD_SEEN] = seen;
    look(s, a, scenario);
  });
  return load;
}
