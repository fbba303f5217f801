/** Samples of a frame of 10 ms at 16 kHz. */
const FRAME_SAMPLES = 160;
const FRAMES_PER_SECOND = 100;
/** Weight of the sample before, which is taken off: hum is no speech, and consonants are. */
const EMPHASIS = 0.97;
/** Frames on either side that a frame's level is averaged with. */
const SMOOTH = 1;
/** Frames on either side of a moment that tell what is quiet there and what is loud: voices of one sound differ in level. */
const AROUND = 400;
const QUIET = 0.03;
const LOUD = 0.8;
/** A frame sounds above this part of the way from quiet to loud, and less than so many decibels below loud. */
const SOUNDING = 0.35;
const SOUNDING_RANGE = 28;
/** Decibels between quiet and loud below which there are no pauses to tell. */
const LEAST_RANGE = 10;
/** Frames that a pause has at least. */
const LEAST_PAUSE = 20;

/** A stretch of a window in which nobody speaks, in seconds after its start. */
export interface Pause {
  readonly from: number;
  readonly to: number;
}

/** Tells sound from silence in a window. All times are in seconds after its start. */
export interface WindowSound {
  /**
   * The pause around a moment, or the nearest that begins or ends at most `reach` seconds from it; undefined when there is none,
   * or when sound and silence cannot be told apart.
   */
  pause(moment: number, reach: number): Pause | undefined;
  /** The longest pause that begins and ends within; undefined where there is none. */
  longestPause(from: number, to: number): Pause | undefined;
  /** Seconds of sound, pauses within it left out; 0 where sound and silence cannot be told apart. */
  sounding(from: number, to: number): number;
}

/**
 * Listens to a window by the level of its frames after pre-emphasis, against the quiet and the loud ones within four seconds
 * around.
 *
 * @param samples mono at 16 kHz, a pooled view of the window; read at the first call of the result alone
 */
export function listenTo(samples: Float32Array): WindowSound {
  const count = Math.floor(samples.length / FRAME_SAMPLES);
  let known: Float32Array | undefined;
  const levels = () => {
    known ??= frameLevels(samples, count);
    return known;
  };
  const frameAt = (seconds: number) =>
    Math.min(count - 1, Math.max(0, Math.round(seconds * FRAMES_PER_SECOND)));
  return {
    pause(moment, reach) {
      const at = frameAt(moment);
      const threshold = soundingLevel(levels(), at, at);
      if (threshold === undefined) return undefined;
      const frames = Math.round(reach * FRAMES_PER_SECOND);
      let best: [number, number] | undefined;
      let least = Number.POSITIVE_INFINITY;
      for (const [from, to] of quietRuns(levels(), threshold, at - frames, at + frames)) {
        const distance = Math.max(0, from - at, at - to);
        if (distance > frames || distance >= least) continue;
        least = distance;
        best = [from, to];
      }
      return best && seconds(best);
    },
    longestPause(from, to) {
      const [first, last] = [frameAt(from), frameAt(to)];
      const threshold = soundingLevel(levels(), first, last);
      if (threshold === undefined) return undefined;
      const within = [...quietRuns(levels(), threshold, first, last)].filter(
        ([from, to]) => from > first && to < last,
      );
      if (within.length === 0) return undefined;
      return seconds(within.reduce((best, run) => (run[1] - run[0] > best[1] - best[0] ? run : best)));
    },
    sounding(from, to) {
      const [first, last] = [frameAt(from), frameAt(to)];
      const threshold = soundingLevel(levels(), first, last);
      if (threshold === undefined) return 0;
      let frames = 0;
      for (let frame = first; frame < last; frame++) if (levels()[frame]! > threshold) frames++;
      return frames / FRAMES_PER_SECOND;
    },
  };
}

/** Level above which frames around these sound; undefined where quiet and loud are much the same. */
function soundingLevel(levels: Float32Array, first: number, last: number): number | undefined {
  const around = levels.slice(Math.max(0, first - AROUND), last + AROUND).sort();
  const quiet = around[Math.floor(QUIET * around.length)]!;
  const loud = around[Math.floor(LOUD * around.length)]!;
  // An empty window has no levels, and a comparison with undefined is false.
  if (!(loud - quiet >= LEAST_RANGE)) return undefined;
  return Math.max(loud - SOUNDING_RANGE, quiet + SOUNDING * (loud - quiet));
}

/** Level of each frame in decibels, smoothed. */
function frameLevels(samples: Float32Array, count: number): Float32Array {
  const powers = new Float32Array(count);
  for (let frame = 0; frame < count; frame++) {
    let sum = 0;
    const end = (frame + 1) * FRAME_SAMPLES;
    for (let i = Math.max(1, frame * FRAME_SAMPLES); i < end; i++) {
      sum += (samples[i]! - EMPHASIS * samples[i - 1]!) ** 2;
    }
    powers[frame] = sum;
  }
  const levels = new Float32Array(count);
  for (let frame = 0; frame < count; frame++) {
    let sum = 0;
    const last = Math.min(count - 1, frame + SMOOTH);
    const first = Math.max(0, frame - SMOOTH);
    for (let i = first; i <= last; i++) sum += powers[i]!;
    levels[frame] = 10 * Math.log10(sum / (last - first + 1) + 1e-12);
  }
  return levels;
}

/** Pauses that reach into the frames `from` to `to`, as wholes: their first frame and the one behind their last. */
function* quietRuns(
  levels: Float32Array,
  threshold: number,
  from: number,
  to: number,
): Generator<[number, number]> {
  const sounds = (frame: number) => levels[frame]! > threshold;
  let frame = Math.max(0, from);
  while (frame > 0 && !sounds(frame) && !sounds(frame - 1)) frame--;
  while (frame < levels.length && frame <= to) {
    if (sounds(frame)) {
      frame++;
      continue;
    }
    const begin = frame;
    while (frame < levels.length && !sounds(frame)) frame++;
    if (frame - begin >= LEAST_PAUSE) yield [begin, frame];
  }
}

function seconds([from, to]: [number, number]): Pause {
  return { from: from / FRAMES_PER_SECOND, to: to / FRAMES_PER_SECOND };
}
