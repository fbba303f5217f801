import { type Core, giveRegionBack, orOutOfMemory, takeRegion } from "../core/core.ts";
import type { Pointer } from "../core/core-exports.ts";
import { checkDescription } from "./check-description.ts";
import type { FrontEndDescription } from "./description.ts";
import { samplesBefore } from "./frame-count.ts";
import { WINDOWS } from "./windows.ts";

// Flags of assembly/features/plan.ts.
const REMOVE_DC = 1;
const EMPHASIZE_FRAME = 2;
const EMPHASIZE_SIGNAL = 4;
const MAGNITUDE = 8;
const LOG = 16;
const FRAME_MAJOR = 32;
const ENERGY_FIRST = 64;
const ENERGY_LAST = 128;
const ENERGY_RAW = 256;
const DITHER = 512;
const WAVEFORM = 1024;

const EDGES = { snip: 0, mirror: 1, reflect: 2, zero: 3 };
const TRIANGLES = { hz: 0, mel: 1, symmetric: 2 };

/** A front end as the core runs it: tables in its memory, and the workspace of this agent. */
export interface Plan {
  readonly description: FrontEndDescription;
  /** Address of the plan; 0 for a description without frames. */
  readonly pointer: Pointer;
  readonly work: Pointer;
  /** Two numbers that computeFrames leaves: the greatest feature, and how many frames were bad. */
  readonly found: Float32Array;
  readonly bad: Uint32Array;
  /** Values a frame, before cepstra and stacking. */
  readonly rows: number;
  /** What a frame of silence gives. */
  readonly silence: number;
  /** Table of the cosine transform, where there are cepstra. */
  readonly cosines: Pointer;
  /** Shifts and scales, where there are any. */
  readonly cmvn: Pointer;
  /** The numbers of the normalisation, where there is one. */
  readonly normalizing: Pointer;
  /** Mels whose filter holds no bin. */
  readonly emptyMels: readonly number[];
}

/** Memory that the plans of a core share for a moment: they run to their end before another begins. */
interface Scratch {
  bytes: number;
  view: Float32Array;
}

interface CorePlans {
  plans: Map<string, Plan>;
  /** What the plans took, given back when the agent leaves. */
  regions: Region[];
  scratch: Map<string, Scratch>;
}

const plansByCore = new WeakMap<Core, CorePlans>();

function plansOf(core: Core): CorePlans {
  // Apart, for every call of a function with a closure allocates.
  return plansByCore.get(core) ?? newPlansOf(core);
}

function newPlansOf(core: Core): CorePlans {
  const plans: CorePlans = { plans: new Map(), regions: [], scratch: new Map() };
  plansByCore.set(core, plans);
  core.onLeave(() => {
    for (const { at, bytes } of plans.regions) giveRegionBack(core, at, bytes);
    for (const { view, bytes } of plans.scratch.values()) giveRegionBack(core, view.byteOffset, bytes);
    plansByCore.delete(core);
  });
  return plans;
}

/**
 * A region of the core for use within one call, at least `floats` long. It grows on demand and stays; what was
 * larger before is given back.
 *
 * @throws CoreMemoryError when the core has no room.
 */
export function scratchOf(core: Core, purpose: string, floats: number): Float32Array {
  const { scratch } = plansOf(core);
  const known = scratch.get(purpose);
  if (known && known.view.length >= floats) return known.view;
  const bytes = floats * 4;
  assertFits(core, bytes, purpose);
  if (known) {
    scratch.delete(purpose);
    giveRegionBack(core, known.view.byteOffset, known.bytes);
  }
  const view = new Float32Array(core.buffer, takeRegion(core, bytes, purpose), floats);
  scratch.set(purpose, { bytes, view });
  return view;
}

/**
 * Checks that so many bytes can be asked for: the core counts in 32 bits.
 *
 * @throws CoreMemoryError when the whole core has fewer.
 */
export function assertFits(core: Core, bytes: number, purpose: string): void {
  if (bytes > core.memoryBytes) orOutOfMemory(core, 0, bytes, purpose);
}

/**
 * Checks a front end and makes its plan: tables and workspace, once a core for equal descriptions.
 *
 * @throws InvalidArgumentError for a description that cannot be.
 * @throws CoreMemoryError when the core has no room for the tables.
 */
export function planOf(core: Core, description: FrontEndDescription): Plan {
  checkDescription(description, (fft) => core.exports.realFftTableBytes(fft) !== 0);
  const { plans, regions, scratch } = plansOf(core);
  const { name: _, ...what } = description;
  const key = JSON.stringify(what, canonical);
  const known = plans.get(key);
  if (known) return { ...known, description };
  const taken: Region[] = [];
  const kept = new Set(scratch.keys());
  try {
    const bare = bareTables(core, description, taken);
    const plan = description.frame ? buildPlan(core, bare, taken) : bare;
    plans.set(key, plan);
    regions.push(...taken);
    return plan;
  } catch (error) {
    for (const { at, bytes } of taken.reverse()) giveRegionBack(core, at, bytes);
    for (const [purpose, { view, bytes }] of [...scratch].reverse()) {
      if (!kept.has(purpose) && scratch.delete(purpose)) giveRegionBack(core, view.byteOffset, bytes);
    }
    throw error;
  }
}

/** Typed arrays as arrays and keys in order, so that equal descriptions are one text. */
function canonical(_key: string, value: unknown): unknown {
  if (value instanceof Float32Array) return [...value];
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Memory taken for a plan that is not finished. */
interface Region {
  at: Pointer;
  bytes: number;
}

function bareTables(core: Core, description: FrontEndDescription, taken: Region[]): Plan {
  const found = scratchOf(core, "front-end results", 2);
  let normalizing = 0;
  if (description.normalize) {
    const { degrees = 1, varianceGuard = 0, deviationGuard = 0 } = description.normalize;
    const numbers = [degrees, varianceGuard, deviationGuard];
    normalizing = takeRegion(core, 8 * numbers.length, `front end ${description.name}`);
    taken.push({ at: normalizing, bytes: 8 * numbers.length });
    new Float64Array(core.buffer, normalizing, numbers.length).set(numbers);
  }
  return {
    description,
    pointer: 0,
    work: 0,
    found,
    bad: new Uint32Array(core.buffer, found.byteOffset, 2),
    rows: 1,
    silence: 0,
    cosines: 0,
    cmvn: 0,
    normalizing,
    emptyMels: [],
  };
}

function buildPlan(core: Core, bare: Plan, taken: Region[]): Plan {
  const { exports } = core;
  const { description } = bare;
  const { name, mel, cepstra, cmvn } = description;
  const purpose = `front end ${name}`;
  function take(bytes: number): Pointer {
    const at = takeRegion(core, bytes, purpose);
    taken.push({ at, bytes });
    return at;
  }
  const given = scratchOf(core, "front-end numbers", 2 * 24);
  new Float64Array(core.buffer, given.byteOffset, 24).set(numbersOf(description));
  const numbers = given.byteOffset;
  const pointer = orOutOfMemory(core, exports.planCreate(numbers), exports.planNeeds(numbers), purpose);
  taken.push({ at: pointer, bytes: exports.planBytes(numbers) });
  const rows = exports.planRows(pointer);
  const work = mel ? take(exports.planWorkspaceBytes(pointer)) : 0;
  let cosines = 0;
  if (mel && cepstra) {
    cosines = take(exports.cosineTableBytes(mel.count, cepstra));
    exports.cosineTableBuild(cosines, mel.count, cepstra);
  }
  let factors = 0;
  if (cmvn) {
    const { length } = cmvn.shift;
    factors = take(8 * length);
    new Float32Array(core.buffer, factors, length).set(cmvn.shift);
    new Float32Array(core.buffer, factors + 4 * length, length).set(cmvn.scale);
  }
  const emptyMels: number[] = [];
  for (let i = 0; mel; i++) {
    const empty = exports.emptyFilter(exports.planFilters(pointer), mel.count, i);
    if (empty < 0) break;
    emptyMels.push(empty);
  }
  emptyMels.sort((a, b) => a - b);
  const plan = { ...bare, pointer, work, rows, cosines, cmvn: factors, emptyMels };
  return { ...plan, silence: mel ? exports.silentFeature(pointer) : 0 };
}

/** What planCreate takes, in its order. */
function numbersOf(description: FrontEndDescription): number[] {
  const { frame, mel, log, energy, preEmphasis, dither, scale = 1 } = description;
  const { length, hop, fft, window, edges } = frame!;
  let flags = description.layout === "frame-major" ? FRAME_MAJOR : 0;
  if (!mel) flags |= WAVEFORM;
  if (description.removeDc) flags |= REMOVE_DC;
  if (preEmphasis) flags |= preEmphasis.over === "frame" ? EMPHASIZE_FRAME : EMPHASIZE_SIGNAL;
  if (description.power === 1) flags |= MAGNITUDE;
  if (log) flags |= LOG;
  if (energy)
    flags |=
      (energy.place === "first" ? ENERGY_FIRST : ENERGY_LAST) | (energy.raw === false ? 0 : ENERGY_RAW);
  if (dither && dither.amount > 0) flags |= DITHER;
  const energyFloor = energy?.floor ?? 1;
  return [
    length,
    hop,
    mel ? fft : 0,
    samplesBefore(frame!),
    EDGES[edges],
    flags,
    WINDOWS[window],
    scale,
    preEmphasis?.coefficient ?? 0,
    // The scale is part of the window, which comes after the dither.
    (dither?.amount ?? 0) / scale,
    dither?.seed ?? 0,
    energyFloor > 0 ? Math.log(energyFloor) : -1e30,
    log?.guard ?? 0,
    log?.floor ?? 1,
    log?.factor ?? 1,
    log?.offset ?? 0,
    mel?.count ?? 0,
    description.sampleRate,
    mel?.low ?? 0,
    mel?.high || description.sampleRate / 2,
    mel?.scale === "htk" ? 1 : 0,
    TRIANGLES[mel?.triangles ?? "hz"],
    mel?.norm === "slaney" ? 1 : 0,
  ];
}
