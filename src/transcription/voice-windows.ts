import type { SoundRing } from "../audio/sound-ring.ts";
import type { BufferPool } from "../pools/buffer-pool.ts";
import { planWindow } from "../voice/plan-windows.ts";
import type { SpeechRegions } from "../voice/speech-regions.ts";
import type { WindowPlanner } from "./windows.ts";

/** Samples to read at least before speech is looked for again: a second. */
const STEP_SAMPLES = 16000;

/**
 * Windows of up to 30 s that hold all speech and end at pauses; silence lies between them.
 *
 * @param speech of the same sound, from its start; it hears what is read
 * @param audio pool of window-sized buffers, one of which is leased while the detector listens
 */
export function voiceWindows(
  sound: SoundRing,
  speech: SpeechRegions,
  windowSamples: number,
  audio: BufferPool<"f32">,
  signal: AbortSignal | undefined,
): WindowPlanner {
  /** Reads on to `upTo` and has the detector hear what is new. */
  async function listen(upTo: number): Promise<void> {
    await sound.fill(Math.max(upTo, speech.samples + STEP_SAMPLES));
    using block = await audio.acquireAsync(signal ? { signal } : {});
    while (speech.samples < sound.head) {
      const count = Math.min(sound.head - speech.samples, STEP_SAMPLES);
      sound.window(speech.samples, count, block.view);
      await speech.push(block.view.subarray(0, count), { signal });
    }
    if (sound.ended && !speech.ended) await speech.flush();
  }

  return {
    plansAhead: false, // the detector runs on this thread
    async next(position) {
      while (true) {
        const plan = planWindow(speech, position, { maxSamples: windowSamples });
        if (plan.kind === "end") return undefined;
        if (plan.kind === "window") {
          speech.forget(plan.start);
          return { start: plan.start, count: plan.count, cut: false, whole: true, listened: true };
        }
        speech.forget(plan.keep);
        await listen(plan.until);
      }
    },
  };
}
