/** Steps of poolGrow(1) and poolTrim(1, floor), see assembly/pools/resize.ts, and of poolClose, which trims all. */
import { defineGive, defineRetireIfClosed, defineTake } from "./buffer-steps.ts";
import {
  ALONE,
  BEST,
  BEST_AGE,
  BUFFER,
  BUSY,
  CLOSED,
  CURSOR,
  DONE,
  exchangeWord,
  FOUND,
  FREE,
  GROWN,
  HEAD,
  INDEX,
  NOW,
  OPERATION,
  REFERENCES,
  RELEASE_TAG,
  RETIRED,
  type Scenario,
  SERVING,
  STATE,
  STEP,
  type State,
  slotAt,
  storeUnbusy,
  TRIMMED,
  TURN,
  tagOf,
  Violation,
  WORD,
  WORD_SEEN,
} from "./pool-state.ts";
import { CLOSE, defineStep, enter, finish, GROW, HANDS, type Operation, TRIM } from "./steps.ts";

/** The state that an operation looks for: grow takes retired slots, trim and close those in service. */
const wantedState = (s: State, a: number) => (s[a + OPERATION] === GROW ? RETIRED : SERVING);
const matches = (s: State, a: number, word: number) => (word & (STATE | REFERENCES)) === wantedState(s, a);
const wantedCount = (s: State, a: number, { slots }: Scenario) => (s[a + OPERATION] === CLOSE ? slots : 1);

/** A slot is done: on to the next turn, or out. */
function done(s: State, a: number, scenario: Scenario): void {
  s[a + DONE]! += 1;
  if (s[a + DONE]! < wantedCount(s, a, scenario)) nextTurn(s, a, scenario);
  else end(s, a, scenario);
}

function end(s: State, a: number, scenario: Scenario): void {
  s[s[a + OPERATION] === GROW ? GROWN : TRIMMED]! += s[a + DONE]!;
  if (s[a + DONE] === 0 && s[a + ALONE] === 1 && s[CLOSED] === 0) justifyRefusal(s, a, scenario);
  finish(s, a, scenario);
}

/** Nobody disturbed this trim or grow, so that it did nothing only where there was nothing to do. */
function justifyRefusal(s: State, a: number, { slots, floor }: Scenario): void {
  let candidates = 0;
  let serving = 0;
  for (let i = 0; i < slots; i++) {
    const word = s[slotAt(i) + WORD]!;
    if (matches(s, a, word)) candidates++;
    if ((word & STATE) === SERVING) serving++;
  }
  const possible = s[a + OPERATION] === GROW ? s[FREE]! > 0 : serving > floor;
  if (candidates > 0 && possible) throw new Violation("did nothing although it could have");
}

function nextTurn(s: State, a: number, scenario: Scenario): void {
  s[a + INDEX] = 0;
  s[a + WORD_SEEN] = 0;
  s[a + TURN]! += 1;
  if (s[a + TURN]! < 2 * scenario.slots) s[a + STEP] = PICK;
  else end(s, a, scenario);
}

// pick: a scan over the slots, whose best may be out of date when it ends.
const PICK = defineStep("pick: load head for its tag", (s, a, scenario) => {
  s[a + NOW] = tagOf(s[HEAD]!);
  if (!scenario.wholeScans) {
    s[a + STEP] = PICK_WORD;
    return;
  }
  for (let i = 0; i < scenario.slots; i++) {
    const slot = slotAt(i);
    s[a + CURSOR] = i;
    if (matches(s, a, s[slot + WORD]!)) compare(s, a, s[slot + RELEASE_TAG]!);
  }
  endPick(s, a, scenario);
});
const PICK_WORD = defineStep("pick: load word", (s, a, scenario) => {
  if (matches(s, a, s[slotAt(s[a + CURSOR]!) + WORD]!)) s[a + STEP] = PICK_TAG;
  else advancePick(s, a, scenario);
});
const PICK_TAG = defineStep("pick: load release tag", (s, a, scenario) => {
  compare(s, a, s[slotAt(s[a + CURSOR]!) + RELEASE_TAG]!);
  s[a + STEP] = PICK_WORD;
  advancePick(s, a, scenario);
});
/** Ages are signed, as in the core. */
const signed = (age: number) => (age << 24) >> 24;
function compare(s: State, a: number, releaseTag: number): void {
  const age = signed(s[a + NOW]! - releaseTag);
  const bestAge = signed(s[a + BEST_AGE]!);
  const worse = s[a + OPERATION] === GROW ? age >= bestAge : age < bestAge;
  if (s[a + BEST] !== 0 && worse) return;
  s[a + BEST] = s[a + CURSOR]! + 1;
  s[a + BEST_AGE] = age & 0xff;
}
function advancePick(s: State, a: number, scenario: Scenario): void {
  s[a + STEP] = PICK_WORD;
  s[a + CURSOR]! += 1;
  if (s[a + CURSOR] === scenario.slots) endPick(s, a, scenario);
}
function endPick(s: State, a: number, scenario: Scenario): void {
  const best = s[a + BEST]!;
  s[a + CURSOR] = 0;
  s[a + BEST] = 0;
  s[a + BEST_AGE] = 0;
  s[a + NOW] = 0;
  if (best === 0) {
    end(s, a, scenario);
    return;
  }
  s[a + INDEX] = best - 1;
  s[a + STEP] = LOAD_WORD;
}

const LOAD_WORD = defineStep("load word", (s, a, scenario) => {
  const word = s[slotAt(s[a + INDEX]!) + WORD]!;
  s[a + WORD_SEEN] = word;
  const fits = matches(s, a, word);
  if (fits || scenario.dies) enter(s, a, scenario, s[a + INDEX]! + 1, fits ? EXCHANGE_WORD : NO_MATCH);
  else nextTurn(s, a, scenario);
});
const NO_MATCH = defineStep("leave a slot that is not free any more", nextTurn);
const EXCHANGE_WORD = defineStep("exchange word for busy", (s, a, scenario) => {
  const word = s[a + WORD_SEEN]!;
  const seen = exchangeWord(s, slotAt(s[a + INDEX]!), word, (word & ~STATE) | BUSY);
  if (seen !== word) nextTurn(s, a, scenario);
  else if (s[a + OPERATION] !== GROW) s[a + STEP] = COUNT;
  else s[a + STEP] = scenario.closes ? GROW_CLOSED : GIVE;
});

function store(s: State, a: number, scenario: Scenario, state: number): void {
  s[a + WORD_SEEN] = storeUnbusy(s, scenario, slotAt(s[a + INDEX]!), s[a + WORD_SEEN]!, state);
}

// grow: the buffer comes from the arena while the slot is busy.
const GROW_CLOSED = defineStep(
  "grow: load closed",
  (s, a) => {
    s[a + STEP] = s[CLOSED] === 0 ? GIVE : STAY_RETIRED;
  },
  HANDS.busy,
);
const GIVE = defineGive(
  "grow",
  HANDS.busy,
  (s, a) => {
    s[a + STEP] = SERVE;
  },
  () => STAY_RETIRED,
);
const SERVE = defineStep(
  "store word, serving",
  (s, a, scenario) => {
    store(s, a, scenario, SERVING);
    retireIfClosed(s, a, scenario);
  },
  HANDS.busy,
);
const retireIfClosed = defineRetireIfClosed("brought into service", HANDS.none, (s, a, scenario) =>
  s[a + OPERATION] === GROW ? done(s, a, scenario) : end(s, a, scenario),
);
const STAY_RETIRED = defineStep(
  "store word, no room",
  (s, a, scenario) => {
    store(s, a, scenario, RETIRED);
    end(s, a, scenario);
  },
  HANDS.busy,
);

// trim: how many are in service is counted while the slot is busy.
const COUNT = defineStep(
  "count in service",
  (s, a, scenario) => {
    const { slots, wholeScans, flaws } = scenario;
    if (flaws?.readsBufferFirst) {
      if (s[slotAt(s[a + CURSOR]!) + BUFFER] === 0) nextCount(s, a, scenario);
      else s[a + STEP] = COUNT_WORD;
      return;
    }
    do {
      const state = s[slotAt(s[a + CURSOR]!) + WORD]! & STATE;
      if (state === SERVING || (flaws?.countsBusy && state === BUSY)) s[a + FOUND]! += 1;
      nextCount(s, a, scenario);
    } while (wholeScans && s[a + CURSOR]! > 0 && s[a + CURSOR]! < slots);
  },
  HANDS.busy,
);
const COUNT_WORD = defineStep(
  "count in service: load word",
  (s, a, scenario) => {
    if ((s[slotAt(s[a + CURSOR]!) + WORD]! & STATE) !== BUSY) s[a + FOUND]! += 1;
    s[a + STEP] = COUNT;
    nextCount(s, a, scenario);
  },
  HANDS.busy,
);
function nextCount(s: State, a: number, { slots, floor }: Scenario): void {
  s[a + STEP] = COUNT;
  s[a + CURSOR]! += 1;
  if (s[a + CURSOR]! < slots) return;
  const least = s[a + OPERATION] === CLOSE ? 0 : floor;
  s[a + STEP] = s[a + FOUND]! < least ? SERVE : TAKE;
  s[a + CURSOR] = 0;
  s[a + FOUND] = 0;
}
const TAKE = defineTake("trim", HANDS.busy, done);

const STORE_CLOSED = defineStep("close: store closed", (s, a) => {
  s[CLOSED] = 1;
  s[a + STEP] = PICK;
});

export const grow: Operation = { code: GROW, first: PICK };
export const trim: Operation = { code: TRIM, first: PICK };
export const close: Operation = { code: CLOSE, first: STORE_CLOSED };
