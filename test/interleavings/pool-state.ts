/**
 * State of the pool's model: what assembly/pools/layout.ts lays out in memory, and the registers of the
 * agents, as one row of 16-bit numbers that is copied and compared as a whole.
 *
 *     head   tag 8 bits | in use 4 | top 4          word   generation 8 bits | state 2 | references 6
 *     handle generation 8 bits | index 4            held   handle 12 bits | references owed 4
 *
 * Left out: waiting and times, on which no other step depends; adopting and handing over; and the arena's own
 * steps, which take a region or give it back in one. Who owns and retains what is kept only where an agent
 * may die, because only those who reclaim read it.
 */

/** Deliberate mistakes, each of which the explorer must find. */
export interface Flaws {
  /**
   * The head has no tag. Only the top index is compared then, and the count in use is carried along from
   * what is there: compared too, it would stand in for the tag in most schedules.
   */
  untagged?: boolean;
  /** Acquire stores the word of the slot that it popped, where it must exchange it. */
  leasesByStore?: boolean;
  /** The generation does not rise with a release. */
  keepsGeneration?: boolean;
  /** Trimming counts busy slots as in service when it looks at the floor. */
  countsBusy?: boolean;
  /** Trimming reads a slot's buffer and then its word, and takes any that is not busy for one in service. */
  readsBufferFirst?: boolean;
  /** Release exchanges the word for that of a free slot first and zeroes it afterwards. */
  zeroesLate?: boolean;
  /** An acquire brings back only the last of the slots that it has set aside. */
  dropsAside?: boolean;
  /** Whoever brings a slot into service does not look at `closed` after it. */
  ignoresClosed?: boolean;
  /** A slot that was busy gets the generation back that it had, so that its word may be the same twice. */
  repeatsWords?: boolean;
  /** Acquire enters itself as the owner after the exchange that begins the tenancy, not before. */
  ownsLate?: boolean;
  /** Acquire strikes its journal out with the lease, before the slots set aside are back on the stack. */
  strikesEarly?: boolean;
  /** Recover pushes an orphan that is not busy without exchanging its word before. */
  pushesUnclaimed?: boolean;
  /** Reclaim ends a tenancy without entering the slot in its journal. */
  dropsUnjournaled?: boolean;
}

/** A pool, its arena, and what each agent does: one letter an operation, see operations.ts. */
export interface Scenario {
  slots: number;
  /** Slots in service at the start. */
  initial: number;
  /** Regions of the arena, those of the initial slots included. */
  regions: number;
  /** Slots that trimming leaves in service; at most `initial`. */
  floor: number;
  zeroOnRelease?: boolean;
  /** Whether a program closes the pool: only then is `closed` read, which takes a step each time. */
  closes?: boolean;
  /** Whether agents may die, which the operations X and Y have happen: only then are journals and owners kept. */
  dies?: boolean;
  /** Scans over all slots (pick, inService) take one step as a whole, not one or two for each slot. */
  wholeScans?: boolean;
  flaws?: Flaws;
  programs: readonly string[];
}

/** A rule of the pool that a step or state breaks. */
export class Violation extends Error {}

export type State = Uint16Array;

// Shared by all agents. The counters are those of the shards, added up: only their agents read them.
export const HEAD = 0;
/** Regions that the arena can hand out. */
export const FREE = 1;
export const ACQUIRES = 2;
export const RELEASES = 3;
export const DOUBLE_RELEASES = 4;
export const EXHAUSTED = 5;
export const STALE_USES = 6;
export const GROWN = 7;
export const TRIMMED = 8;
/** The handle acquired last, by whichever agent: what an agent that borrows has been sent. */
export const PASSED = 9;
/** What was done, to compare the counters with. */
export const TRIED_ACQUIRES = 10;
export const TRIED_SECOND_RELEASES = 11;
export const CLOSED = 12;
// What agents left when they died: slots off the stack, slots busy (a bit each), regions under way.
export const LOST = 13;
export const LEFT_BUSY = 14;
export const LEAKED = 15;

// Fields of slot i, at SLOTS + i * SLOT_FIELDS.
export const SLOTS = 16;
export const SLOT_FIELDS = 7;
export const WORD = 0;
export const NEXT = 1;
/** 1 while the slot has a buffer. */
export const BUFFER = 2;
export const RELEASE_TAG = 3;
/** 1 when a tenant has written into the buffer since it was zeroed. */
export const DIRTY = 4;
/** Agent that holds the first reference, plus 1. */
export const OWNER = 5;
/** Retains of each agent, three bits each, and whether any agent retained in this tenancy. */
export const RETAINS = 6;
export const RETAINED = 1 << 12;
export const retainOne = (agent: number) => 1 << (3 * agent);
export const retainsOf = (retains: number, agent: number) => (retains >> (3 * agent)) & 7;

// Registers of an agent, behind the slots.
/** Operations done. */
export const AT = 0;
/** Handles held, oldest first, each with the references owed for it. */
export const HELD = 1;
export const HELD_MAX = 3;
/** Handle of the tenancy that this agent ended last. */
export const ENDED = 4;
/** The one register that other agents read: the slot that this agent moves, plus 1, or SEVERAL. */
export const JOURNAL = 5;
export const SEVERAL = 0xff;
/** 1 after the agent's death, 2 when another agent has reclaimed all that it had. */
export const DEAD = 6;
// From here on all registers are zero between operations, so that equal states are told to be equal.
export const REGISTERS = 7;
/** The step that comes next; 0 between operations. */
export const STEP = 7;
/** Letter code of the operation. */
export const OPERATION = 8;
/** 1 while no other agent has had a turn, or stood in the middle of an operation, during this one. */
export const ALONE = 9;
export const INDEX = 10;
export const HEAD_SEEN = 11;
export const NEXT_SEEN = 12;
export const WORD_SEEN = 13;
export const HANDLE = 14;
/** Top of the chain of slots set aside, plus 1. */
export const ASIDE = 15;
export const NO_ROOM = 16;
/** 1 while the agent carries a region between arena and slot. */
export const REGION = 17;
/** Place of a scan, the best found plus 1, its age, the tag at the scan's begin, what is counted. */
export const CURSOR = 18;
export const BEST = 19;
export const BEST_AGE = 20;
export const NOW = 21;
export const FOUND = 22;
export const TURN = 23;
export const DONE = 24;
/** What goes into the journal, and the step after that. */
export const ENTRY = 25;
export const AFTER_ENTRY = 26;
export const AGENT_FIELDS = 27;

// Parts of the head.
export const NIL = 0xf;
const TAG_ONE = 1 << 8;
const IN_USE_ONE = 1 << 4;
export const topOf = (head: number) => head & 0xf;
export const inUseOf = (head: number) => (head >> 4) & 0xf;
export const tagOf = (head: number) => head >> 8;

// Parts of a slot's word.
export const REFERENCES = 0x3f;
export const STATE = 3 << 6;
export const SERVING = 0;
export const RETIRED = 1 << 6;
export const BUSY = 2 << 6;
export const GENERATION_ONE = 1 << 8;

export const handleOf = (word: number, index: number) => ((word >> 8) << 4) | index;
export const indexOf = (handle: number) => handle & 0xf;
/** Whether `word` belongs to the tenancy of `handle`. */
export const sameTenancy = (word: number, handle: number) => word >> 8 === handle >> 4;

/** Offset of a slot's fields. */
export const slotAt = (index: number) => SLOTS + index * SLOT_FIELDS;

/** Offset of an agent's registers. */
export const agentAt = (scenario: Scenario, agent: number) => slotAt(scenario.slots) + agent * AGENT_FIELDS;

/** Number of the agent whose registers are at `a`. */
export const agentOf = (scenario: Scenario, a: number) => (a - agentAt(scenario, 0)) / AGENT_FIELDS;

/** The pool as poolCreate leaves it: every slot on the stack, the initial ones with a buffer. */
export function initialState(scenario: Scenario): State {
  const { slots, initial, regions, programs } = scenario;
  const length = agentAt(scenario, programs.length);
  const s: State = new Uint16Array(length + (length & 1));
  s[FREE] = regions - initial;
  for (let i = 0; i < slots; i++) {
    const slot = slotAt(i);
    s[slot + WORD] = GENERATION_ONE | (i < initial ? SERVING : RETIRED);
    s[slot + NEXT] = i + 1 < slots ? i + 1 : NIL;
    s[slot + BUFFER] = i < initial ? 1 : 0;
  }
  return s;
}

/**
 * Exchanges the head if it is `seen`: the top goes to `top`, the count in use changes by `inUse`, the tag
 * rises. Returns whether it was.
 */
export function exchangeHead(
  s: State,
  scenario: Scenario,
  seen: number,
  top: number,
  inUse: number,
): boolean {
  const head = s[HEAD]!;
  const untagged = scenario.flaws?.untagged === true;
  if (untagged ? topOf(head) !== topOf(seen) : head !== seen) return false;
  s[HEAD] = ((head + (untagged ? 0 : TAG_ONE) + inUse * IN_USE_ONE) & ~0xf) | top;
  return true;
}

/** The word of the next tenancy: no references, serving. The model's generations are too few to be used up. */
export const nextTenancy = (word: number) => (word & ~(STATE | REFERENCES)) + GENERATION_ONE;

/** Exchanges a slot's word if it is `seen`. Returns what was there. */
export function exchangeWord(s: State, slot: number, seen: number, wanted: number): number {
  const word = s[slot + WORD]!;
  if (word === seen) s[slot + WORD] = wanted;
  return word;
}

/** Stores the word of a slot that was busy without a tenancy: `seen` in another state, of the next generation. */
export function storeUnbusy(s: State, scenario: Scenario, slot: number, seen: number, state: number): number {
  const word = (scenario.flaws?.repeatsWords ? seen & ~STATE : nextTenancy(seen)) | state;
  s[slot + WORD] = word;
  return word;
}

/** Adds a reference to what the agent owes. */
export function hold(s: State, a: number, handle: number): void {
  for (let i = a + HELD; i < a + HELD + HELD_MAX; i++) {
    if (s[i] === 0 || s[i]! >> 4 === handle) {
      s[i] = (handle << 4) | ((s[i]! & 0xf) + 1);
      return;
    }
  }
  throw new RangeError("the model's agents hold three handles at most");
}

/** Takes a reference off what the agent owes. */
export function drop(s: State, a: number, handle: number): void {
  let i = a + HELD;
  while (i < a + HELD + HELD_MAX && s[i]! >> 4 !== handle) i++;
  if (i === a + HELD + HELD_MAX) throw new Violation("a release is accepted that nobody owed");
  s[i]! -= 1;
  if ((s[i]! & 0xf) !== 0) return;
  s.copyWithin(i, i + 1, a + HELD + HELD_MAX);
  s[a + HELD + HELD_MAX - 1] = 0;
}

/** The state in words, for traces. */
export function show(s: State, scenario: Scenario): string {
  const head = s[HEAD]!;
  const name = (index: number) => (index === NIL ? "-" : `${index}`);
  const slots = Array.from({ length: scenario.slots }, (_, i) => {
    const slot = slotAt(i);
    const word = s[slot + WORD]!;
    const state = ["serving", "retired", "busy"][(word & STATE) >> 6];
    const buffer = s[slot + BUFFER] === 1 ? "" : " no buffer";
    const owner = s[slot + OWNER] === 0 ? "" : ` owner ${s[slot + OWNER]! - 1}`;
    return `${i}: ${state} g${word >> 8} ×${word & REFERENCES} next ${name(s[slot + NEXT]!)}${owner}${buffer}`;
  });
  return `tag ${tagOf(head)} in use ${inUseOf(head)} top ${name(topOf(head))} | ${slots.join(" | ")} | free ${s[FREE]}`;
}
