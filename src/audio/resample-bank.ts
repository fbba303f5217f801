import { type Core, giveRegionBack, takeRegion } from "../core/core.ts";
import type { Pointer } from "../core/core-exports.ts";
import { CoreMemoryError } from "../core/errors.ts";

/** How sharp the filter is: see `ResamplerOptions.quality`. */
export type ResamplerQuality = "low" | "medium" | "high";

/** In the order of the codes that the core knows, see assembly/kernels/resample.ts. */
export const QUALITIES: readonly ResamplerQuality[] = ["low", "medium", "high"];
/** Banks that nobody uses are kept for the next one who does, up to so many. */
const MAX_IDLE = 4;
/** Words of a bank's header. */
const HEADER_WORDS = 5;
/** Outputs of one phase that the kernel makes at once. */
const GROUP = 4;

/** The filters from one rate to another in a core's memory. */
export interface ResampleBank {
  readonly address: Pointer;
  readonly bytes: number;
  /** The rates in lowest terms: output i lies at input time i × down / up. */
  readonly up: number;
  readonly down: number;
  /** Input samples under the filter, and how many of them lie before an output's own sample. */
  readonly taps: number;
  readonly left: number;
  /** Input samples of a whole number of the kernel's groups: blocks of so many are the fastest. */
  readonly quantum: number;
  /** Resamplers that use it. */
  users: number;
}

const banksByCore = new WeakMap<Core, Map<string, ResampleBank>>();

function banksOf(core: Core): Map<string, ResampleBank> {
  const known = banksByCore.get(core);
  if (known) return known;
  const banks = new Map<string, ResampleBank>();
  banksByCore.set(core, banks);
  core.onLeave(() => {
    for (const [key] of banks) freeBank(core, banks, key);
  });
  return banks;
}

/**
 * The bank for two rates and a quality, built when they are first asked for. To be given up with
 * {@link leaveBank}.
 *
 * @throws CoreMemoryError when the core has no room for it.
 */
export function useBank(core: Core, from: number, to: number, quality: ResamplerQuality): ResampleBank {
  const banks = banksOf(core);
  const key = `${from} ${to} ${quality}`;
  const bank = banks.get(key) ?? buildBank(core, banks, from, to, quality);
  banks.delete(key);
  banks.set(key, bank); // the last of the map is the last used
  bank.users++;
  return bank;
}

/** Gives a bank up. It stays for the next user until others have come in its place. */
export function leaveBank(core: Core, bank: ResampleBank): void {
  bank.users--;
  freeIdle(core, banksOf(core), MAX_IDLE);
}

function buildBank(
  core: Core,
  banks: Map<string, ResampleBank>,
  from: number,
  to: number,
  quality: ResamplerQuality,
): ResampleBank {
  const { exports } = core;
  const code = QUALITIES.indexOf(quality);
  const bytes = exports.resampleBankBytes(from, to, code) >>> 0;
  const purpose = `the filter from ${from} to ${to} Hz`;
  let address: Pointer;
  try {
    address = takeRegion(core, bytes, purpose);
  } catch (error) {
    if (!(error instanceof CoreMemoryError)) throw error;
    freeIdle(core, banks, 0);
    address = takeRegion(core, bytes, purpose);
  }
  exports.resampleBankBuild(address, from, to, code);
  const header = new Uint32Array(core.buffer, address, HEADER_WORDS);
  const [up, down, taps, left, steps] = header as unknown as [number, number, number, number, number];
  const quantum = steps === up ? GROUP * down : 1;
  return { address, bytes, up, down, taps, left, quantum, users: 0 };
}

/** Frees banks without users, the least recently used first, until `keep` of them are left. */
function freeIdle(core: Core, banks: Map<string, ResampleBank>, keep: number): void {
  const idle = [...banks].filter(([, bank]) => bank.users === 0);
  for (const [key] of idle.slice(0, Math.max(0, idle.length - keep))) freeBank(core, banks, key);
}

function freeBank(core: Core, banks: Map<string, ResampleBank>, key: string): void {
  const { address, bytes } = banks.get(key)!;
  banks.delete(key);
  giveRegionBack(core, address, bytes);
}
