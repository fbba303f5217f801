/**
 * Steps of poolRelease, poolRetain and bringBack, see assembly/pools/references.ts and slot-pool.ts. What an
 * agent writes down of its own references is part of the exchange that it goes with: no loop and no call lies
 * between them, and nobody reads it before the agent has died or the tenancy has ended.
 */
import { defineRetireIfClosed } from "./buffer-steps.ts";
import {
  agentOf,
  BUFFER,
  BUSY,
  DIRTY,
  DOUBLE_RELEASES,
  drop,
  ENDED,
  exchangeWord,
  HANDLE,
  HEAD,
  HELD,
  HELD_MAX,
  hold,
  INDEX,
  indexOf,
  NOW,
  nextTenancy,
  OWNER,
  PASSED,
  REFERENCES,
  RELEASE_TAG,
  RELEASES,
  RETAINED,
  RETAINS,
  retainOne,
  retainsOf,
  type Scenario,
  STALE_USES,
  STEP,
  type State,
  sameTenancy,
  slotAt,
  TRIED_SECOND_RELEASES,
  tagOf,
  Violation,
  WORD,
  WORD_SEEN,
} from "./pool-state.ts";
import {
  type Action,
  BORROW,
  definePush,
  defineStep,
  enter,
  finish,
  HANDS,
  leave,
  type Operation,
  RELEASE,
  RELEASE_AGAIN,
  RELEASE_NEWEST,
  RETAIN,
} from "./steps.ts";

function decideRelease(s: State, a: number, scenario: Scenario, word: number): void {
  const references = word & REFERENCES;
  if (references === 0 || !sameTenancy(word, s[a + HANDLE]!)) {
    s[DOUBLE_RELEASES]! += 1;
    finish(s, a, scenario);
    return;
  }
  s[a + WORD_SEEN] = word;
  if (references > 1) enter(s, a, scenario, 0, DROP_SHARED);
  else enter(s, a, scenario, indexOf(s[a + HANDLE]!) + 1, END_TENANCY);
}

const RELEASE_LOAD = defineStep("release: load word", (s, a, scenario) =>
  decideRelease(s, a, scenario, s[slotAt(indexOf(s[a + HANDLE]!)) + WORD]!),
);
const DROP_SHARED = defineStep("release: exchange word, others remain", (s, a, scenario) => {
  const word = s[a + WORD_SEEN]!;
  const slot = slotAt(indexOf(s[a + HANDLE]!));
  s[a + WORD_SEEN] = 0;
  if (exchangeWord(s, slot, word, word - 1) !== word) {
    s[a + STEP] = RELEASE_LOAD;
    return;
  }
  if (scenario.dies) writeOff(s, slot, agentOf(scenario, a));
  drop(s, a, s[a + HANDLE]!);
  leave(s, a, scenario);
});
/** A reference less in the agent's books: a retain, or else the first. */
function writeOff(s: State, slot: number, agent: number): void {
  if (retainsOf(s[slot + RETAINS]!, agent) > 0) s[slot + RETAINS]! -= retainOne(agent);
  else if (s[slot + OWNER] === agent + 1) s[slot + OWNER] = 0;
}
const END_TENANCY = defineStep("release: exchange word, the last", (s, a, scenario) => {
  const index = indexOf(s[a + HANDLE]!);
  const word = s[a + WORD_SEEN]!;
  const seen = exchangeWord(s, slotAt(index), word, endedWord(scenario, word));
  if (seen !== word) {
    decideRelease(s, a, scenario, seen);
    return;
  }
  drop(s, a, s[a + HANDLE]!);
  s[RELEASES]! += 1;
  s[a + ENDED] = s[a + HANDLE]!;
  s[a + INDEX] = index;
  s[a + WORD_SEEN] = freeWord(scenario, word);
  if (!scenario.zeroOnRelease) s[a + STEP] = BRING_BACK;
  else s[a + STEP] = scenario.flaws?.zeroesLate ? ZERO_LATE : ZERO;
});

const freeWord = (scenario: Scenario, word: number) =>
  scenario.flaws?.keepsGeneration ? word & ~REFERENCES : nextTenancy(word);

/** The word of the next tenancy: no references, and busy while the buffer is zeroed. */
function endedWord(scenario: Scenario, word: number): number {
  const zeroesFirst = scenario.zeroOnRelease && !scenario.flaws?.zeroesLate;
  return freeWord(scenario, word) | (zeroesFirst ? BUSY : 0);
}

/** Zeroing is the agent's alone: it writes to a buffer that must be there and that nobody may use. */
function zero(s: State, a: number): void {
  const slot = slotAt(s[a + INDEX]!);
  if ((s[slot + WORD]! & REFERENCES) !== 0) throw new Violation("a leased buffer is zeroed");
  if (s[slot + BUFFER] !== 1) throw new Violation("a buffer is zeroed that was given back");
  s[slot + DIRTY] = 0;
}

const ZERO = defineStep(
  "release: zero the buffer",
  (s, a) => {
    zero(s, a);
    s[a + STEP] = STORE_FREE;
  },
  HANDS.offAndBusy,
);
const STORE_FREE = defineStep(
  "release: store word",
  (s, a) => {
    s[slotAt(s[a + INDEX]!) + WORD] = s[a + WORD_SEEN]!;
    s[a + STEP] = BRING_BACK;
  },
  HANDS.offAndBusy,
);
const ZERO_LATE = defineStep(
  "release: zero the buffer, late",
  (s, a) => {
    zero(s, a);
    s[a + STEP] = BRING_BACK;
  },
  HANDS.off,
);

/** bringBack of the slot in INDEX, whose word is in WORD_SEEN. `pushed` follows. Returns the first step. */
export function defineBringBack(name: string, pushed: Action): number {
  const loadTag = defineStep(
    `${name}: load head for its tag`,
    (s, a) => {
      s[a + NOW] = (tagOf(s[HEAD]!) + 1) & 0xff;
      s[a + STEP] = storeTag;
    },
    HANDS.off,
  );
  const storeTag = defineStep(
    `${name}: store release tag`,
    (s, a, scenario) => {
      s[slotAt(s[a + INDEX]!) + RELEASE_TAG] = s[a + NOW]!;
      s[a + NOW] = 0;
      retireIfClosed(s, a, scenario);
    },
    HANDS.off,
  );
  const retireIfClosed = defineRetireIfClosed(name, HANDS.off, (s, a) => {
    s[a + WORD_SEEN] = 0;
    s[a + STEP] = push;
  });
  const push = definePush(name, pushed);
  return loadTag;
}
const BRING_BACK = defineBringBack("bring back", finish);

function decideRetain(s: State, a: number, scenario: Scenario, word: number): void {
  if ((word & REFERENCES) === 0 || !sameTenancy(word, s[a + HANDLE]!)) {
    s[STALE_USES]! += 1;
    leave(s, a, scenario);
    return;
  }
  s[a + WORD_SEEN] = word;
  s[a + STEP] = RETAIN_EXCHANGE;
}
// check has a load of its own, before that of the loop.
const RETAIN_CHECK = defineStep("retain: check handle", (s, a, scenario) => {
  decideRetain(s, a, scenario, s[slotAt(indexOf(s[a + HANDLE]!)) + WORD]!);
  s[a + WORD_SEEN] = 0;
  if (s[a + STEP] === RETAIN_EXCHANGE) s[a + STEP] = RETAIN_LOAD;
});
const RETAIN_LOAD = defineStep("retain: load word", (s, a, scenario) =>
  decideRetain(s, a, scenario, s[slotAt(indexOf(s[a + HANDLE]!)) + WORD]!),
);
const RETAIN_EXCHANGE = defineStep("retain: exchange word", (s, a, scenario) => {
  const word = s[a + WORD_SEEN]!;
  const slot = slotAt(indexOf(s[a + HANDLE]!));
  const seen = exchangeWord(s, slot, word, word + 1);
  if (seen !== word) {
    decideRetain(s, a, scenario, seen);
    return;
  }
  if (scenario.dies) s[slot + RETAINS] = (s[slot + RETAINS]! | RETAINED) + retainOne(agentOf(scenario, a));
  hold(s, a, s[a + HANDLE]!);
  leave(s, a, scenario);
});
/** A handle that another agent sent; reading the message is a step of its own. */
const RECEIVE = defineStep("borrow: receive handle", (s, a, scenario) => {
  s[a + HANDLE] = s[PASSED]!;
  if (s[PASSED] === 0) leave(s, a, scenario);
  else s[a + STEP] = RETAIN_CHECK;
});

function newest(s: State, a: number): number {
  let i = a + HELD + HELD_MAX - 1;
  while (i > a + HELD && s[i] === 0) i--;
  return s[i]! >> 4;
}

export const release: Operation = {
  code: RELEASE,
  first: RELEASE_LOAD,
  prepare(s, a) {
    s[a + HANDLE] = s[a + HELD]! >> 4;
  },
};
export const releaseNewest: Operation = {
  code: RELEASE_NEWEST,
  first: RELEASE_LOAD,
  prepare(s, a) {
    s[a + HANDLE] = newest(s, a);
  },
};
export const releaseAgain: Operation = {
  code: RELEASE_AGAIN,
  first: RELEASE_LOAD,
  prepare(s, a) {
    s[TRIED_SECOND_RELEASES]! += 1;
    s[a + HANDLE] = s[a + ENDED]!;
  },
};
export const retain: Operation = {
  code: RETAIN,
  first: RETAIN_CHECK,
  prepare(s, a) {
    s[a + HANDLE] = newest(s, a);
  },
};
export const borrow: Operation = { code: BORROW, first: RECEIVE };
