/** Steps of poolAcquire, acquireBeyond and claim, see assembly/pools/slot-pool.ts. */
import { defineGive } from "./buffer-steps.ts";
import {
  ACQUIRES,
  ALONE,
  ASIDE,
  agentOf,
  BUSY,
  CLOSED,
  DIRTY,
  EXHAUSTED,
  exchangeWord,
  FREE,
  GROWN,
  HANDLE,
  handleOf,
  hold,
  INDEX,
  indexOf,
  NEXT,
  NIL,
  NO_ROOM,
  OWNER,
  PASSED,
  REFERENCES,
  RETAINED,
  RETAINS,
  RETIRED,
  type Scenario,
  SERVING,
  SEVERAL,
  STATE,
  STEP,
  type State,
  slotAt,
  storeUnbusy,
  TRIED_ACQUIRES,
  Violation,
  WORD,
  WORD_SEEN,
} from "./pool-state.ts";
import {
  ACQUIRE,
  type Action,
  definePop,
  definePush,
  defineStep,
  enter,
  finish,
  HANDS,
  type Operation,
} from "./steps.ts";

const OUT_OF_SLOTS = 0;
const OUT_OF_MEMORY = 1;

/** What follows the exchange that begins a tenancy. */
function lease(s: State, a: number, scenario: Scenario, index: number, word: number): void {
  const slot = slotAt(index);
  if (scenario.zeroOnRelease && s[slot + DIRTY] === 1) {
    throw new Violation("a buffer is leased before it is zeroed");
  }
  s[slot + DIRTY] = scenario.zeroOnRelease ? 1 : 0;
  s[ACQUIRES]! += 1;
  const handle = handleOf(word, index);
  hold(s, a, handle);
  s[a + HANDLE] = handle;
  s[a + INDEX] = 0;
  s[a + WORD_SEEN] = 0;
  if (scenario.dies && scenario.flaws?.ownsLate) s[a + STEP] = OWN_LATE;
  else bringBackAside(s, a, scenario);
}

/** Slots set aside go back on the stack one by one; then the operation ends. */
function bringBackAside(s: State, a: number, scenario: Scenario): void {
  if (s[a + ASIDE] === 0) end(s, a, scenario);
  else if (s[a + HANDLE] !== 0 && scenario.flaws?.strikesEarly) enter(s, a, scenario, 0, LOAD_BELOW);
  else s[a + STEP] = LOAD_BELOW;
}

function end(s: State, a: number, scenario: Scenario): void {
  if (s[a + HANDLE] === 0) {
    if (scenario.closes) enter(s, a, scenario, 0, REFUSE);
    else refuse(s, a, scenario);
    return;
  }
  s[TRIED_ACQUIRES]! += 1;
  s[PASSED] = s[a + HANDLE]!;
  finish(s, a, scenario);
}
const REFUSE = defineStep("refuse: load closed", (s, a, scenario) => {
  if (s[CLOSED] === 0) refuse(s, a, scenario);
  else finish(s, a, scenario);
});
function refuse(s: State, a: number, scenario: Scenario): void {
  s[TRIED_ACQUIRES]! += 1;
  s[EXHAUSTED]! += 1;
  if (s[a + ALONE] === 1) justifyRefusal(s, a, scenario);
  finish(s, a, scenario);
}

/** Nobody disturbed this acquire, so that a refusal says how things stand. */
function justifyRefusal(s: State, a: number, scenario: Scenario): void {
  let leased = 0;
  for (let i = 0; i < scenario.slots; i++) {
    const word = s[slotAt(i) + WORD]!;
    if ((word & REFERENCES) !== 0) leased++;
    else if ((word & STATE) === SERVING) throw new Violation("refused although a slot in service is free");
  }
  if (s[a + NO_ROOM] === OUT_OF_MEMORY ? s[FREE] !== 0 : leased < scenario.slots) {
    throw new Violation("refused although a slot could have been brought into service");
  }
}

function setAside(s: State, a: number, scenario: Scenario, failure: number): void {
  s[a + NO_ROOM]! |= failure;
  s[a + WORD_SEEN] = 0;
  enter(s, a, scenario, SEVERAL, STORE_ASIDE, HANDS.off);
}

/**
 * Who has popped a slot writes itself in as its owner and clears the retains of the last tenancy. Whether
 * there are any is loaded along with the owner's store: nobody writes that while nobody has a reference.
 */
function defineOwn(hands: number, slotOf: (s: State, a: number) => number, owned: Action): number {
  const own = defineStep(
    "store owner",
    (s, a, scenario) => {
      const slot = slotOf(s, a);
      s[slot + OWNER] = agentOf(scenario, a) + 1;
      if ((s[slot + RETAINS]! & RETAINED) !== 0) s[a + STEP] = fill;
      else owned(s, a, scenario);
    },
    hands,
  );
  const fill = defineStep(
    "clear retains",
    (s, a) => {
      s[slotOf(s, a) + RETAINS]! &= RETAINED;
      s[a + STEP] = clear;
    },
    hands,
  );
  const clear = defineStep(
    "store not retained",
    (s, a, scenario) => {
      s[slotOf(s, a) + RETAINS]! &= ~RETAINED;
      owned(s, a, scenario);
    },
    hands,
  );
  return own;
}
const popped = (s: State, a: number) => slotAt(s[a + INDEX]!);
const OWN_FIRST = defineOwn(HANDS.off, popped, (s, a) => {
  s[a + STEP] = LOAD_WORD;
});
const OWN_BEYOND = defineOwn(HANDS.off, popped, (s, a) => {
  s[a + STEP] = CLAIM_LOAD;
});
const OWN_LATE = defineOwn(HANDS.none, (s, a) => slotAt(indexOf(s[a + HANDLE]!)), bringBackAside);
const ownsFirst = ({ dies, flaws }: Scenario) => dies === true && !flaws?.ownsLate;

function claim(s: State, a: number, scenario: Scenario): void {
  s[a + WORD_SEEN] = 0;
  s[a + STEP] = ownsFirst(scenario) ? OWN_BEYOND : CLAIM_LOAD;
}

// The pop of the first slot, and its word.
const first: Action = (s, a, scenario) => {
  s[a + STEP] = ownsFirst(scenario) ? OWN_FIRST : LOAD_WORD;
};
const ACQUIRE_POP = definePop("pop", first, end, true);
const LOAD_WORD = defineStep(
  "load word",
  (s, a, scenario) => {
    s[a + WORD_SEEN] = s[slotAt(s[a + INDEX]!) + WORD]!;
    if ((s[a + WORD_SEEN]! & STATE) === SERVING) s[a + STEP] = EXCHANGE_WORD;
    else claim(s, a, scenario);
  },
  HANDS.off,
);
const EXCHANGE_WORD = defineStep(
  "exchange word",
  (s, a, scenario) => {
    const index = s[a + INDEX]!;
    const word = s[a + WORD_SEEN]!;
    if (scenario.flaws?.leasesByStore) s[slotAt(index) + WORD] = word;
    if (exchangeWord(s, slotAt(index), word, word + 1) === word) lease(s, a, scenario, index, word);
    else claim(s, a, scenario);
  },
  HANDS.off,
);

// claim: what to do with a popped slot depends on its word, and on every word that is found there instead.
function decideClaim(s: State, a: number, scenario: Scenario, word: number): void {
  s[a + WORD_SEEN] = word;
  if ((word & STATE) === BUSY) setAside(s, a, scenario, OUT_OF_SLOTS);
  else s[a + STEP] = scenario.closes && (word & STATE) === RETIRED ? CLAIM_CLOSED : CLAIM_EXCHANGE;
}
const CLAIM_LOAD = defineStep(
  "claim: load word",
  (s, a, scenario) => decideClaim(s, a, scenario, s[slotAt(s[a + INDEX]!) + WORD]!),
  HANDS.off,
);
const CLAIM_CLOSED = defineStep(
  "claim: load closed",
  (s, a, scenario) => {
    if (s[CLOSED] === 0) s[a + STEP] = CLAIM_EXCHANGE;
    else setAside(s, a, scenario, OUT_OF_SLOTS);
  },
  HANDS.off,
);
const CLAIM_EXCHANGE = defineStep(
  "claim: exchange word",
  (s, a, scenario) => {
    const index = s[a + INDEX]!;
    const word = s[a + WORD_SEEN]!;
    const retired = (word & STATE) === RETIRED;
    const seen = exchangeWord(s, slotAt(index), word, retired ? (word & ~STATE) | BUSY : word + 1);
    if (seen !== word) decideClaim(s, a, scenario, seen);
    else if (retired) s[a + STEP] = CLAIM_GIVE;
    else lease(s, a, scenario, index, word);
  },
  HANDS.off,
);
const CLAIM_GIVE = defineGive(
  "claim",
  HANDS.offAndBusy,
  (s, a) => {
    s[a + STEP] = CLAIM_LEASE;
  },
  () => CLAIM_UNDO,
);
const CLAIM_UNDO = defineStep(
  "claim: store word, no room",
  (s, a, scenario) => {
    storeUnbusy(s, scenario, slotAt(s[a + INDEX]!), s[a + WORD_SEEN]!, RETIRED);
    setAside(s, a, scenario, OUT_OF_MEMORY);
  },
  HANDS.offAndBusy,
);
const CLAIM_LEASE = defineStep(
  "claim: store word",
  (s, a, scenario) => {
    const index = s[a + INDEX]!;
    const word = s[a + WORD_SEEN]! & ~STATE;
    s[slotAt(index) + WORD] = word + 1;
    s[GROWN]! += 1;
    lease(s, a, scenario, index, word);
  },
  HANDS.offAndBusy,
);

// acquireBeyond: slots that cannot serve form a chain through their own links.
const STORE_ASIDE = defineStep(
  "set aside: store slot.next",
  (s, a) => {
    const index = s[a + INDEX]!;
    s[slotAt(index) + NEXT] = s[a + ASIDE] === 0 ? NIL : s[a + ASIDE]! - 1;
    s[a + ASIDE] = index + 1;
    s[a + INDEX] = 0;
    s[a + STEP] = POP_ANY;
  },
  HANDS.off,
);
const POP_ANY = definePop("pop beyond", claim, bringBackAside, false);
const LOAD_BELOW = defineStep("bring back: load slot.next", (s, a, scenario) => {
  const index = s[a + ASIDE]! - 1;
  const below = s[slotAt(index) + NEXT]!;
  s[a + ASIDE] = below === NIL || scenario.flaws?.dropsAside ? 0 : below + 1;
  s[a + INDEX] = index;
  s[a + STEP] = PUSH_ASIDE;
});
const PUSH_ASIDE = definePush("bring back", bringBackAside);

export const acquire: Operation = { code: ACQUIRE, first: ACQUIRE_POP };
