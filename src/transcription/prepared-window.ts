import type { SoundRing } from "../audio/sound-ring.ts";
import { WINDOW_FRAMES } from "../inference/encoder.ts";
import type { Tensor } from "../inference/tensor.ts";
import type { Lease } from "../pools/lease.ts";
import { encodeWindow, firstFrames, type WindowSamples } from "./decode-features.ts";
import type { CheckedOptions } from "./options.ts";
import type { Pipeline } from "./pipeline.ts";
import { createStageClock, type StageClock } from "./stage-times.ts";
import { leadingSilence, quietestCut, type WindowPlan, type WindowPlanner } from "./windows.ts";

/** What a call's windows are made of. */
export interface WindowSource {
  readonly pipeline: Pipeline;
  readonly sound: SoundRing;
  readonly planner: WindowPlanner;
  readonly options: CheckedOptions;
}

/** A window whose samples lie in pooled buffers. */
export interface PreparedWindow extends WindowSamples {
  readonly plan: WindowPlan;
  /** Sample behind its last. */
  readonly end: number;
  /** Sample at which to begin instead, where it begins with silence. */
  readonly skipTo: number | undefined;
  /**
   * Begins to encode it, unless that was done ahead, where the encoder runs beside the decoder.
   *
   * @throws whatever `encodeWindow` throws.
   */
  encode(clock: StageClock, report: (stage: "mel" | "encoder") => void): Promise<void>;
  /** The encoder's output, where it was begun; the first who calls is given it, and releases it. */
  takeEncoded(): Promise<Tensor | undefined> | undefined;
  /** Gives all back, once what is under way has ended. */
  release(): Promise<void>;
}

/**
 * Takes buffers, in turn with other calls, and puts a window's samples into them.
 *
 * @throws the signal's reason when it is aborted.
 */
export async function prepareWindow(source: WindowSource, plan: WindowPlan): Promise<PreparedWindow> {
  const { pipeline, options } = source;
  const wait = options.signal ? { signal: options.signal } : {};
  const samples = await pipeline.audio.acquireAsync(wait);
  try {
    return fillWindow(source, plan, samples, await pipeline.mel.acquireAsync(wait));
  } catch (error) {
    samples.release();
    throw error;
  }
}

function fillWindow(
  { sound, pipeline, options }: WindowSource,
  plan: WindowPlan,
  samples: Lease<"f32">,
  mel: Lease<"f32">,
  ahead?: (window: WindowSamples) => Promise<Tensor | undefined> | undefined,
): PreparedWindow {
  try {
    sound.window(plan.start, plan.count, samples.view);
    const skip = plan.listened ? 0 : leadingSilence(samples.view.subarray(0, plan.count));
    const count = plan.cut ? quietestCut(samples.view) : plan.count;
    const window = { samples: samples.view, mel: mel.view, count };
    let encoded = skip > 0 ? undefined : ahead?.(window);
    // Whoever takes it is told; until then a failure is nobody's.
    encoded?.catch(() => undefined);
    return {
      ...window,
      plan,
      end: plan.start + count,
      skipTo: skip > 0 ? plan.start + skip : undefined,
      async encode(clock, report) {
        if (!pipeline.encoder.beside) return;
        if (encoded) return void (await clock.measure("encoder", () => encoded!));
        encoded = encodeWindow(
          pipeline,
          window,
          firstFrames(pipeline, window, options),
          options,
          clock,
          report,
        );
        await encoded;
      },
      takeEncoded() {
        const taken = encoded;
        encoded = undefined;
        return taken;
      },
      async release() {
        const left = await encoded?.catch(() => undefined);
        left?.release();
        samples.release();
        mel.release();
      },
    };
  } catch (error) {
    mel.release();
    throw error;
  }
}

/** Prepares the next window while one is decoded. */
export interface LookAhead {
  /** Begins with the window at a position, unless one is begun already. Nothing is thrown here: errors come with the window. */
  begin(position: number): void;
  /** The window that was begun there; undefined when none was, or no buffer was free for it. */
  take(position: number): Promise<PreparedWindow | undefined>;
  /** Gives back what was begun and not taken. */
  end(): Promise<void>;
}

/**
 * Looks ahead where that gains time: where windows follow each other whatever is heard, and the encoder runs beside the thread
 * that decodes.
 */
export function createLookAhead(source: WindowSource): LookAhead {
  const { pipeline, options, planner } = source;
  let begun: { position: number; window: Promise<PreparedWindow | undefined> } | undefined;
  let ready: PreparedWindow | undefined;
  let ended = false;

  async function prepare(position: number): Promise<PreparedWindow | undefined> {
    const plan = await planner.next(position);
    if (!plan || ended) return undefined;
    const samples = pipeline.audio.tryAcquire();
    const mel = samples && pipeline.mel.tryAcquire();
    if (!mel) {
      samples?.release();
      return undefined;
    }
    try {
      ready = fillWindow(source, plan, samples, mel, (window) => {
        const frames = firstFrames(pipeline, window, options);
        // The last window: the silence tail's buffers are for windows at work.
        if (frames < WINDOW_FRAMES) return undefined;
        // The call's own clock runs while it waits for this, not while this works beside it.
        return encodeWindow(pipeline, window, frames, options, createStageClock(), () => {});
      });
      return ready;
    } catch (error) {
      samples.release();
      throw error;
    }
  }

  return {
    begin(position) {
      if (begun || !planner.plansAhead || !pipeline.encoder.beside) return;
      const window = prepare(position);
      window.catch(() => undefined);
      begun = { position, window };
    },
    async take(position) {
      const window = begun?.position === position ? await begun.window : undefined;
      if (window) ready = undefined;
      begun = undefined;
      return window;
    },
    async end() {
      ended = true; // sound that is waited for may never come
      await ready?.release();
    },
  };
}
