/**
 * Agents: who works in this memory. Each takes one of 64 places, and with it a number that is never given out
 * twice, so that reclaiming a dead agent a second time cannot hit a living one in the same place.
 *
 *     agent                                    entry of its place
 *     31                  6 5        0         31                  1 0
 *     ┌────────────────────┬─────────┐         ┌────────────────────┬─┐
 *     │ round              │ place   │         │ round              │P│  P: present
 *     └────────────────────┴─────────┘         └────────────────────┴─┘
 */
import { AGENTS_OFFSET } from "./header";
import { cas32, load32 } from "./atomics";

// @ts-ignore: decorator
@inline export const MAX_AGENTS: u32 = 64;
// @ts-ignore: decorator
@inline const PLACE_BITS: u32 = 6;
// @ts-ignore: decorator
@inline const PRESENT: u32 = 1;

// @ts-ignore: decorator
@inline function entryOf(place: u32): usize {
  return AGENTS_OFFSET + ((place as usize) << 2);
}

/** The place of an agent, which its counters and references go by. */
// @ts-ignore: decorator
@inline export function placeOf(agent: u32): u32 {
  return agent & (MAX_AGENTS - 1);
}

/** Takes a place for a new agent. Returns the agent's number, or -1 when all 64 places are taken. */
export function agentJoin(): i32 {
  for (let place: u32 = 0; place < MAX_AGENTS; place++) {
    const entry = load32(entryOf(place));
    if ((entry & PRESENT) == 0 && cas32(entryOf(place), entry, entry | PRESENT) == entry) {
      return (((entry >>> 1) << PLACE_BITS) | place) as i32;
    }
  }
  return -1;
}

/** Gives an agent's place back; does nothing if it is not present. What it leased, poolReclaim has ended before. */
export function agentLeave(agent: u32): void {
  const round = agent >>> PLACE_BITS;
  cas32(entryOf(placeOf(agent)), (round << 1) | PRESENT, ((round + 1) << 1) & 0x7ffffff);
}

/** Whether an agent is present: it has joined, and neither left nor been reclaimed. */
export function agentPresent(agent: u32): bool {
  return load32(entryOf(placeOf(agent))) == (((agent >>> PLACE_BITS) << 1) | PRESENT);
}

// @ts-ignore: decorator
@inline export function placeTaken(place: u32): bool {
  return (load32(entryOf(place)) & PRESENT) != 0;
}
