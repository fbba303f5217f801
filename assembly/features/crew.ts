/**
 * Frames of one clip spread over several agents. The one that asks deals out chunks of frames and computes along, so
 * that it needs nobody: whoever comes late finds less left.
 *
 *     the job, in one region
 *     0        ┌────────────────────────────────┬────────────────┬────────────────┐
 *              │ deal: job 32 | next chunk 32   │ frames done    │ ended          │
 *     16       ├────────────────────────────────┴────────────────┴────────────────┤
 *              │ what to compute, below                                            │
 *     64       ├──────────────────────────────────────────────────────────────────┤
 *              │ each member's peak, bad frames, frames in all: a cache line each  │
 *              └──────────────────────────────────────────────────────────────────┘
 *
 * A member takes a chunk by raising the deal, job and chunk in one exchange: what it read of an earlier job is then
 * refused. All of a job is done when its frames are counted, and only then does the next begin.
 */
import { add32, cas64, load32, load64, notify, store32, store64 } from "../memory/atomics";
import { FLAG, PLAN } from "./plan";
import { computeFrames, FOUND } from "./spectrogram";

namespace JOB {
  /** The job's number is the upper half: a member waits for it to change. */
  // @ts-ignore: decorator
  @inline export const NUMBER: usize = 4;
  // @ts-ignore: decorator
  @inline export const DONE: usize = 8;
  // @ts-ignore: decorator
  @inline export const ENDED: usize = 12;
  // @ts-ignore: decorator
  @inline export const PLAN: usize = 16;
  /** Workspace of member 0, and from one member's to the next. */
  // @ts-ignore: decorator
  @inline export const WORK: usize = 20;
  // @ts-ignore: decorator
  @inline export const WORK_BYTES: usize = 24;
  // @ts-ignore: decorator
  @inline export const SAMPLES: usize = 28;
  // @ts-ignore: decorator
  @inline export const COUNT: usize = 32;
  // @ts-ignore: decorator
  @inline export const TOTAL: usize = 36;
  // @ts-ignore: decorator
  @inline export const FRAMES: usize = 40;
  // @ts-ignore: decorator
  @inline export const OUT: usize = 44;
  // @ts-ignore: decorator
  @inline export const ROW_BYTES: usize = 48;
  // @ts-ignore: decorator
  @inline export const MEMBERS: usize = 52;
  // @ts-ignore: decorator
  @inline export const FOUND: usize = 64;
}

// @ts-ignore: decorator
@inline const LINE: usize = 64;
// @ts-ignore: decorator
@inline const NUMBER_MASK: u64 = 0xffffffff00000000;
/** Past the last chunk of any job; its first frame fits 32 bits. */
// @ts-ignore: decorator
@inline const NO_CHUNK: u64 = 0x03ffffff;
/** In a member's line, after what computeFrames found. */
// @ts-ignore: decorator
@inline const FRAMES_BY_MEMBER: usize = 8;
/** Frames of a chunk: some 12 microseconds of Whisper's. */
// @ts-ignore: decorator
@inline const CHUNK: u32 = 32;
/** Looks at a word before a member sleeps: some tens of microseconds. */
// @ts-ignore: decorator
@inline const LOOKS: u32 = 20000;
/** Looks before the asking agent gives up its turn, which costs it a millisecond: as long as many chunks take. */
// @ts-ignore: decorator
@inline const FINAL_LOOKS: u32 = 500000;

// @ts-ignore: decorator
@inline function foundOf(job: usize, member: u32): usize {
  return job + JOB.FOUND + (member as usize) * LINE;
}

/** Bytes of a job for `members` agents, the asking one among them. */
export function crewBytes(members: u32): u32 {
  return (JOB.FOUND + (members as usize) * LINE) as u32;
}

/** Computes chunks until none is left. */
function work(job: usize, member: u32): void {
  const number = load32(job + JOB.NUMBER);
  const plan = load<u32>(job, JOB.PLAN) as usize;
  const workspace = (load<u32>(job, JOB.WORK) + member * load<u32>(job, JOB.WORK_BYTES)) as usize;
  const samples = load<u32>(job, JOB.SAMPLES) as usize;
  const count = load<i32>(job, JOB.COUNT);
  const total = load<i32>(job, JOB.TOTAL);
  const frames = load<u32>(job, JOB.FRAMES);
  const out = load<u32>(job, JOB.OUT) as usize;
  const rowBytes = load<u32>(job, JOB.ROW_BYTES) as usize;
  while (true) {
    const deal = load64(job);
    const first = (deal as u32) * CHUNK;
    if (((deal >> 32) as u32) != number || first >= frames) return;
    if (cas64(job, deal, deal + 1) != deal) continue;
    const now = min(CHUNK, frames - first);
    const frameMajor = (load<u32>(plan, PLAN.FLAGS) & (FLAG.FRAME_MAJOR | FLAG.WAVEFORM)) != 0;
    const step: usize = frameMajor ? (load<u32>(plan, PLAN.ROWS) as usize) << 2 : 4;
    computeFrames(
      plan, workspace, samples, count, total, first, now, out + (first as usize) * step, rowBytes, foundOf(job, member),
    );
    const own = foundOf(job, member) + FRAMES_BY_MEMBER;
    store32(own, load32(own) + now);
    add32(job + JOB.DONE, now);
  }
}

/** A member's life: waits for jobs and computes along, until the crew ends. */
export function crewServe(job: usize, member: u32): void {
  let seen: u32 = 0;
  while (load32(job + JOB.ENDED) == 0) {
    let number = load32(job + JOB.NUMBER);
    for (let looks: u32 = 0; number == seen && looks < LOOKS; looks++) number = load32(job + JOB.NUMBER);
    if (number == seen) {
      if (ASC_FEATURE_THREADS) atomic.wait<i32>(job + JOB.NUMBER, seen as i32);
      continue;
    }
    seen = number;
    work(job, member);
  }
}

/** Tells the members to end. */
export function crewEnd(job: usize): void {
  store32(job + JOB.ENDED, 1);
  store64(job, load64(job) + (1 << 32));
  notify(job + JOB.NUMBER, -1);
}

/**
 * Begins a job: as computeFrames for frames 0 to `frames`, by all `members`, whose workspaces follow each other from
 * `workspace` on. `found` gives the peak to begin with.
 */
export function crewBegin(
  job: usize, members: u32, plan: usize, workspace: usize, workBytes: u32, samples: usize, count: i32, total: i32,
  frames: u32, out: usize, rowBytes: usize, found: usize,
): void {
  // A member that wakes late may read what follows before the number rises: it finds no chunk of the job before.
  store64(job, (load64(job) & NUMBER_MASK) | NO_CHUNK);
  store<u32>(job, plan as u32, JOB.PLAN);
  store<u32>(job, workspace as u32, JOB.WORK);
  store<u32>(job, workBytes, JOB.WORK_BYTES);
  store<u32>(job, samples as u32, JOB.SAMPLES);
  store<i32>(job, count, JOB.COUNT);
  store<i32>(job, total, JOB.TOTAL);
  store<u32>(job, frames, JOB.FRAMES);
  store<u32>(job, out as u32, JOB.OUT);
  store<u32>(job, rowBytes as u32, JOB.ROW_BYTES);
  store<u32>(job, members, JOB.MEMBERS);
  for (let m: u32 = 0; m < members; m++) {
    store<f32>(foundOf(job, m), load<f32>(found, FOUND.PEAK), FOUND.PEAK);
    store<u32>(foundOf(job, m), 0, FOUND.BAD);
  }
  store32(job + JOB.DONE, 0);
  // Everything above is in place when the number rises.
  store64(job, ((load64(job) >> 32) + 1) << 32);
  notify(job + JOB.NUMBER, (members as i32) - 1);
  work(job, 0);
}

/** Whether all frames are there; then the members' peaks and bad frames are added up at `found`. Looks for a while. */
export function crewFinish(job: usize, found: usize): bool {
  const frames = load<u32>(job, JOB.FRAMES);
  let looks: u32 = 0;
  while (load32(job + JOB.DONE) < frames) if (++looks > FINAL_LOOKS) return false;
  let peak = load<f32>(found, FOUND.PEAK);
  let bad: u32 = 0;
  for (let m: u32 = 0; m < load<u32>(job, JOB.MEMBERS); m++) {
    peak = max(peak, load<f32>(foundOf(job, m), FOUND.PEAK));
    bad += load<u32>(foundOf(job, m), FOUND.BAD);
  }
  store<f32>(found, peak, FOUND.PEAK);
  store<u32>(found, bad, FOUND.BAD);
  return true;
}

/** Frames that a member has computed in all. */
export function crewFrames(job: usize, member: u32): u32 {
  return load32(foundOf(job, member) + FRAMES_BY_MEMBER);
}

/** Frames done of the job at hand, for messages. */
export function crewDone(job: usize): u32 {
  return load32(job + JOB.DONE);
}
