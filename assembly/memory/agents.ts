/**
 * Agents: who works in this memory. Each holds a number from 0 to 63, which its counters and leases carry.
 * A number is given out again after its agent has left or been reclaimed.
 */
import { AGENTS_OFFSET } from "./header";
import { cas32, load32, store32 } from "./atomics";

// @ts-ignore: decorator
@inline export const MAX_AGENTS: u32 = 64;
// @ts-ignore: decorator
@inline const ABSENT: u32 = 0;
// @ts-ignore: decorator
@inline const PRESENT: u32 = 1;

/** Takes a number for a new agent. Returns it, or -1 when all 64 are taken. */
export function agentJoin(): i32 {
  for (let agent: u32 = 0; agent < MAX_AGENTS; agent++) {
    const place = AGENTS_OFFSET + ((agent as usize) << 2);
    if (load32(place) == ABSENT && cas32(place, ABSENT, PRESENT) == ABSENT) return agent as i32;
  }
  return -1;
}

/** Gives an agent's number back. What it leased is found by poolReclaim, which comes first. */
export function agentLeave(agent: u32): void {
  assert(agent < MAX_AGENTS, "agent: 0 to 63");
  store32(AGENTS_OFFSET + ((agent as usize) << 2), ABSENT);
}

// @ts-ignore: decorator
@inline export function agentPresent(agent: u32): bool {
  return load32(AGENTS_OFFSET + ((agent as usize) << 2)) == PRESENT;
}
