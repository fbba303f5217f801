/** Steps of an agent that keeps a slot's word busy: its buffer is given, taken away, or zeroed. */
import {
  BUFFER,
  BUSY,
  CLOSED,
  DIRTY,
  DONE,
  exchangeWord,
  FOUND,
  FREE,
  INDEX,
  nextTenancy,
  REGION,
  RETIRED,
  SERVING,
  STATE,
  STEP,
  slotAt,
  storeUnbusy,
  Violation,
  WORD,
  WORD_SEEN,
} from "./pool-state.ts";
import { type Action, defineStep, HANDS } from "./steps.ts";

/** giveBuffer: a region from the arena. `given` follows, or the step `noRoom`. Returns the first step. */
export function defineGive(name: string, hands: number, given: Action, noRoom: () => number): number {
  const take = defineStep(
    `${name}: take region`,
    (s, a) => {
      if (s[FREE] === 0) {
        s[a + STEP] = noRoom();
        return;
      }
      s[FREE]! -= 1;
      s[a + REGION] = 1;
      s[a + STEP] = store;
    },
    hands,
  );
  const store = defineStep(
    `${name}: store buffer`,
    (s, a, scenario) => {
      s[slotAt(s[a + INDEX]!) + BUFFER]! += s[a + REGION]!;
      s[a + REGION] = 0;
      given(s, a, scenario);
    },
    hands,
  );
  return take;
}

/** takeBuffer, and the word that says so: WORD_SEEN but retired. `retired` follows. Returns the first step. */
export function defineTake(name: string, hands: number, retired: Action): number {
  const load = defineStep(
    `${name}: load buffer`,
    (s, a) => {
      s[a + FOUND] = s[slotAt(s[a + INDEX]!) + BUFFER]!;
      s[a + STEP] = clear;
    },
    hands,
  );
  const clear = defineStep(
    `${name}: store no buffer`,
    (s, a) => {
      const slot = slotAt(s[a + INDEX]!);
      s[slot + BUFFER] = 0;
      s[slot + DIRTY] = 0;
      s[a + REGION] = s[a + FOUND]!;
      s[a + FOUND] = 0;
      s[a + STEP] = give;
    },
    hands,
  );
  const give = defineStep(
    `${name}: give region back`,
    (s, a) => {
      if (s[a + REGION] !== 1) throw new Violation("a region is given back that was not there");
      s[FREE]! += 1;
      s[a + REGION] = 0;
      s[a + STEP] = retire;
    },
    hands,
  );
  const retire = defineStep(
    `${name}: store word, retired`,
    (s, a, scenario) => {
      storeUnbusy(s, scenario, slotAt(s[a + INDEX]!), s[a + WORD_SEEN]!, RETIRED);
      retired(s, a, scenario);
    },
    hands,
  );
  return load;
}

/**
 * retireIfClosed, of the word in WORD_SEEN. `next` follows whether or not the buffer was taken. Returns what
 * sets an agent on this way.
 */
export function defineRetireIfClosed(name: string, hands: number, next: Action): Action {
  const load = defineStep(
    `${name}: load closed`,
    (s, a, scenario) => {
      if (s[CLOSED] === 0 || (s[a + WORD_SEEN]! & STATE) !== SERVING) next(s, a, scenario);
      else s[a + STEP] = exchange;
    },
    hands,
  );
  const exchange = defineStep(
    `${name}: exchange word for busy`,
    (s, a, scenario) => {
      const word = s[a + WORD_SEEN]!;
      if (exchangeWord(s, slotAt(s[a + INDEX]!), word, word | BUSY) === word) s[a + STEP] = take;
      else next(s, a, scenario);
    },
    hands,
  );
  const take = defineTake(name, hands | HANDS.busy, next);
  return (s, a, scenario) => {
    if (scenario.closes && !scenario.flaws?.ignoresClosed) s[a + STEP] = load;
    else next(s, a, scenario);
  };
}

/**
 * settle: ends the busy state of the slot in INDEX. The word that it stores stays in WORD_SEEN, for
 * retireIfClosed. `settled` follows. Returns the first step.
 *
 * @param hands what the agent has besides the busy word.
 */
export function defineSettle(name: string, hands: number, settled: Action): number {
  const zero = defineStep(
    `${name}: load buffer, and zero it`,
    (s, a) => {
      const slot = slotAt(s[a + INDEX]!);
      if (s[slot + BUFFER] === 1) s[slot + DIRTY] = 0;
      s[a + DONE] = s[slot + BUFFER]!;
      s[a + STEP] = store;
    },
    hands | HANDS.busy,
  );
  const store = defineStep(
    `${name}: store word, settled`,
    (s, a, scenario) => {
      const slot = slotAt(s[a + INDEX]!);
      s[slot + WORD] = nextTenancy(s[slot + WORD]!) | (s[a + DONE] === 1 ? SERVING : RETIRED);
      s[a + DONE] = 0;
      s[a + WORD_SEEN] = s[slot + WORD]!;
      settled(s, a, scenario);
    },
    hands | HANDS.busy,
  );
  return zero;
}
