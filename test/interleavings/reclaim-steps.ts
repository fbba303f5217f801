/**
 * Steps of poolReclaim and poolRecover, see assembly/pools/reclaim.ts, after the death of an agent. The core
 * gives up where the stack does not stand still; the model's agents look for ever.
 */
import { defineRetireIfClosed, defineSettle } from "./buffer-steps.ts";
import {
  AGENT_FIELDS,
  ASIDE,
  agentAt,
  BEST,
  BUSY,
  CLOSED,
  CURSOR,
  DEAD,
  DONE,
  drop,
  exchangeWord,
  FOUND,
  HEAD,
  HEAD_SEEN,
  handleOf,
  INDEX,
  JOURNAL,
  LEAKED,
  LEFT_BUSY,
  LOST,
  NEXT,
  NEXT_SEEN,
  NIL,
  nextTenancy,
  OPERATION,
  OWNER,
  REFERENCES,
  REGION,
  REGISTERS,
  RETAINED,
  RETAINS,
  retainOne,
  retainsOf,
  type Scenario,
  SEVERAL,
  STATE,
  STEP,
  type State,
  slotAt,
  TURN,
  topOf,
  Violation,
  WORD,
  WORD_SEEN,
} from "./pool-state.ts";
import { defineBringBack } from "./release-steps.ts";
import { trim } from "./resize-steps.ts";
import {
  CLOSE,
  definePush,
  defineStep,
  enter,
  finish,
  HANDS,
  isBusy,
  isOff,
  isUndying,
  leave,
  type Operation,
  RECLAIM,
  RECLAIM_OTHER,
} from "./steps.ts";

/** Number of the dead agent. */
const victim = (s: State, a: number) => (s[a + OPERATION] === RECLAIM_OTHER ? 1 : 0);

/** An agent stops wherever it stands; what it had in its hands is noted, to tell what is to be recovered. */
const DIE = defineStep("an agent dies", (s, a, scenario) => {
  const dead = agentAt(scenario, victim(s, a));
  if (isUndying(s[dead + STEP]!)) return;
  const slot = 1 << s[dead + INDEX]!;
  if (isOff(s[dead + STEP]!)) s[LOST]! |= slot;
  if (isBusy(s[dead + STEP]!)) s[LEFT_BUSY]! |= slot;
  for (let aside = s[dead + ASIDE]!; aside !== 0; ) {
    s[LOST]! |= 1 << (aside - 1);
    const below = s[slotAt(aside - 1) + NEXT]!;
    aside = below === NIL ? 0 : below + 1;
  }
  s[LEAKED]! += s[dead + REGION]!;
  if (s[dead + DEAD] === 0) s[dead + DEAD] = 1;
  s.fill(0, dead + REGISTERS, dead + AGENT_FIELDS);
  s[a + STEP] = LOAD_WORD;
});

// poolReclaim and dropAll: the references of the dead agent, slot by slot. Of several agents that reclaim at
// once, the one that takes a reference out of the books takes it off the word. FOUND holds the retains taken,
// DONE is 1 when the first reference was.
const LOAD_WORD = defineStep("reclaim: load word", (s, a, scenario) => {
  s[a + WORD_SEEN] = s[slotAt(s[a + CURSOR]!) + WORD]!;
  if ((s[a + WORD_SEEN]! & REFERENCES) === 0) dropped(s, a, scenario);
  else if (scenario.flaws?.dropsUnjournaled) s[a + STEP] = LOAD_RETAINED;
  else enter(s, a, scenario, s[a + CURSOR]! + 1, LOAD_RETAINED);
});
const LOAD_RETAINED = defineStep("reclaim: load whether retained", (s, a) => {
  s[a + STEP] = (s[slotAt(s[a + CURSOR]!) + RETAINS]! & RETAINED) === 0 ? TAKE_OWNER : TAKE_RETAINS;
});
const TAKE_RETAINS = defineStep("reclaim: exchange retains for none", (s, a) => {
  const slot = slotAt(s[a + CURSOR]!);
  s[a + FOUND] = retainsOf(s[slot + RETAINS]!, victim(s, a));
  s[slot + RETAINS]! -= s[a + FOUND]! * retainOne(victim(s, a));
  s[a + STEP] = TAKE_OWNER;
});
const TAKE_OWNER = defineStep(
  "reclaim: exchange owner for none",
  (s, a, scenario) => {
    const slot = slotAt(s[a + CURSOR]!);
    if (s[slot + OWNER] === victim(s, a) + 1) {
      s[slot + OWNER] = 0;
      s[a + DONE] = 1;
    }
    if (s[a + FOUND]! + s[a + DONE]! === 0) dropped(s, a, scenario);
    else s[a + STEP] = EXCHANGE_WORD;
  },
  HANDS.undying,
);
const EXCHANGE_WORD = defineStep(
  "reclaim: exchange word",
  (s, a, scenario) => {
    const index = s[a + CURSOR]!;
    const word = s[a + WORD_SEEN]!;
    const own = s[a + FOUND]! + s[a + DONE]!;
    const references = word & REFERENCES;
    const last = references <= own;
    const seen = exchangeWord(s, slotAt(index), word, last ? nextTenancy(word) | BUSY : word - own);
    s[a + WORD_SEEN] = 0;
    if (seen !== word) {
      s[a + STEP] = RESTORE_RETAINS;
      return;
    }
    const dead = agentAt(scenario, victim(s, a));
    for (let i = 0; i < own; i++) drop(s, dead, handleOf(word, index));
    s[a + FOUND] = 0;
    s[a + DONE] = 0;
    s[a + INDEX] = index;
    s[a + STEP] = last ? SETTLE_DROPPED : DROPPED;
  },
  HANDS.undying,
);
const RESTORE_RETAINS = defineStep(
  "reclaim: store retains again",
  (s, a) => {
    s[slotAt(s[a + CURSOR]!) + RETAINS]! += s[a + FOUND]! * retainOne(victim(s, a));
    s[a + FOUND] = 0;
    s[a + STEP] = s[a + DONE] === 1 ? RESTORE_OWNER : LOAD_WORD;
  },
  HANDS.undying,
);
const RESTORE_OWNER = defineStep(
  "reclaim: exchange no owner for the dead one",
  (s, a) => {
    const slot = slotAt(s[a + CURSOR]!);
    if (s[slot + OWNER] === 0) s[slot + OWNER] = victim(s, a) + 1;
    s[a + DONE] = 0;
    s[a + STEP] = LOAD_WORD;
  },
  HANDS.undying,
);
const SETTLE_DROPPED = defineSettle("reclaim", HANDS.off, (s, a) => {
  s[a + STEP] = BRING_BACK;
});
const BRING_BACK = defineBringBack("reclaim", dropped);
const DROPPED = defineStep("reclaim: next", dropped);
/** The dead agent has no reference to the slot, or none that this agent could take. */
function dropped(s: State, a: number, scenario: Scenario): void {
  nextDrop(s, a, scenario);
  enter(s, a, scenario, 0, s[a + STEP]!);
}
function nextDrop(s: State, a: number, scenario: Scenario): void {
  s[a + WORD_SEEN] = 0;
  s[a + INDEX] = 0;
  s[a + CURSOR]! += 1;
  s[a + STEP] = LOAD_WORD;
  if (s[a + CURSOR]! < scenario.slots) return;
  s[a + CURSOR] = 0;
  s[a + STEP] = CLEAR_JOURNAL;
}
const CLEAR_JOURNAL = defineStep("reclaim: clear the dead agent's journal", (s, a, scenario) => {
  s[agentAt(scenario, victim(s, a)) + JOURNAL] = 0;
  s[a + STEP] = LOOK;
});

// poolRecover: slots that nobody has. FOUND is 1 while the slot looked at seems to be off the stack.
const LOOK: number = defineStep("recover: load head", (s, a) => {
  s[a + HEAD_SEEN] = s[HEAD]!;
  s[a + STEP] = LOOK_WORD;
});
const LOOK_WORD: number = defineStep("recover: load word", (s, a, scenario) => {
  s[a + WORD_SEEN] = s[slotAt(s[a + CURSOR]!) + WORD]!;
  if ((s[a + WORD_SEEN]! & REFERENCES) !== 0) nextLook(s, a, scenario);
  else walk(s, a, scenario, topOf(s[a + HEAD_SEEN]!));
});
function walk(s: State, a: number, scenario: Scenario, at: number): void {
  if (at !== s[a + CURSOR] && at < scenario.slots && s[a + TURN]! < scenario.slots) {
    s[a + NEXT_SEEN] = at;
    s[a + STEP] = WALK;
    return;
  }
  s[a + FOUND] = at === s[a + CURSOR] && s[a + TURN]! < scenario.slots ? 0 : 1;
  s[a + NEXT_SEEN] = 0;
  s[a + TURN] = 0;
  if (s[a + FOUND] === 0 && (s[a + WORD_SEEN]! & STATE) !== BUSY) nextLook(s, a, scenario);
  else s[a + STEP] = SAME_HEAD;
}
const WALK: number = defineStep("recover: walk down the stack", (s, a, scenario) => {
  s[a + TURN]! += 1;
  walk(s, a, scenario, s[slotAt(s[a + NEXT_SEEN]!) + NEXT]!);
});
const SAME_HEAD = defineStep("recover: load head again", (s, a) => {
  if (s[HEAD] === s[a + HEAD_SEEN]) s[a + STEP] = LOOK_JOURNAL;
  else lookAgain(s, a);
});
const LOOK_JOURNAL: number = defineStep("recover: load a journal", (s, a, scenario) => {
  const journal = s[agentAt(scenario, s[a + BEST]!) + JOURNAL]!;
  if (journal === s[a + CURSOR]! + 1 || journal === SEVERAL) {
    lookAgain(s, a);
    return;
  }
  s[a + BEST]! += 1;
  if (s[a + BEST] === scenario.programs.length) s[a + STEP] = SAME_HEAD_STILL;
});
const SAME_HEAD_STILL = defineStep("recover: load head a last time", (s, a, scenario) => {
  if (s[HEAD] === s[a + HEAD_SEEN]) {
    s[a + HEAD_SEEN] = 0;
    s[a + BEST] = 0;
    enter(s, a, scenario, s[a + CURSOR]! + 1, CLAIM);
  } else lookAgain(s, a);
});
const CLAIM = defineStep("recover: exchange word for busy", (s, a, scenario) => {
  const index = s[a + CURSOR]!;
  const bit = 1 << index;
  const slot = slotAt(index);
  const word = s[a + WORD_SEEN]!;
  const busy = (word & STATE) === BUSY;
  const unclaimed = scenario.flaws?.pushesUnclaimed && !busy;
  if (exchangeWord(s, slot, word, unclaimed ? word : nextTenancy(word) | BUSY) !== word) {
    lookAgain(s, a);
    enter(s, a, scenario, 0, LOOK);
    return;
  }
  if (s[a + FOUND] === 1) {
    if ((s[LOST]! & bit) === 0) throw new Violation("a slot is recovered that nobody has lost");
    s[LOST]! &= ~bit;
  }
  if (busy) {
    if ((s[LEFT_BUSY]! & bit) === 0) throw new Violation("a slot is mended that nobody has left");
    s[LEFT_BUSY]! &= ~bit;
  }
  s[a + INDEX] = index;
  s[a + WORD_SEEN] = 0;
  if (unclaimed) s[a + STEP] = PUSH;
  else s[a + STEP] = s[a + FOUND] === 1 ? SETTLE_LOST : SETTLE_ON_STACK;
});
const PUSH = definePush("recover", recovered);
const SETTLE_LOST = defineSettle(
  "recover",
  HANDS.off,
  defineRetireIfClosed("recover", HANDS.off, (s, a) => {
    s[a + WORD_SEEN] = 0;
    s[a + STEP] = PUSH;
  }),
);
const SETTLE_ON_STACK = defineSettle(
  "recover on the stack",
  HANDS.none,
  defineRetireIfClosed("recover on the stack", HANDS.none, recovered),
);
function recovered(s: State, a: number, scenario: Scenario): void {
  if (s[a + CURSOR] === scenario.slots - 1) {
    endRecover(s, a, scenario);
    return;
  }
  nextLook(s, a, scenario);
  enter(s, a, scenario, 0, LOOK);
}
function lookAgain(s: State, a: number): void {
  s[a + HEAD_SEEN] = 0;
  s[a + WORD_SEEN] = 0;
  s[a + FOUND] = 0;
  s[a + BEST] = 0;
  s[a + STEP] = LOOK;
}
function nextLook(s: State, a: number, scenario: Scenario): void {
  lookAgain(s, a);
  s[a + INDEX] = 0;
  s[a + CURSOR]! += 1;
  if (s[a + CURSOR]! < scenario.slots) return;
  endRecover(s, a, scenario);
}
/** A closed pool is trimmed, in place of a dead agent that was about to. */
function endRecover(s: State, a: number, scenario: Scenario): void {
  s[agentAt(scenario, victim(s, a)) + DEAD] = 2;
  lookAgain(s, a);
  s[a + INDEX] = 0;
  s[a + CURSOR] = 0;
  if (scenario.closes) enter(s, a, scenario, 0, LOOK_CLOSED);
  else finish(s, a, scenario);
}
const LOOK_CLOSED = defineStep("recover: load closed", (s, a, scenario) => {
  if (s[CLOSED] === 0) {
    leave(s, a, scenario);
    return;
  }
  s[a + OPERATION] = CLOSE;
  s[a + STEP] = trim.first;
});

export const reclaim: Operation = { code: RECLAIM, first: DIE };
export const reclaimOther: Operation = { code: RECLAIM_OTHER, first: DIE };
