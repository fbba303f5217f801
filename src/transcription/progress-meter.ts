import type { Progress } from "./options.ts";

/** Adds the duration and the time left to what a walk reports. */
export function createProgressMeter(
  duration: number | undefined,
  onProgress: ((progress: Progress) => void) | undefined,
): (progress: Omit<Progress, "duration" | "secondsLeft">) => void {
  if (!onProgress) return () => undefined;
  const began = performance.now();
  return (progress) => {
    const { seconds } = progress;
    const spent = (performance.now() - began) / 1000;
    const known = duration !== undefined && seconds > 0;
    const secondsLeft = known ? (Math.max(0, duration - seconds) / seconds) * spent : undefined;
    onProgress({ ...progress, duration, secondsLeft });
  };
}
