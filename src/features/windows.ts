import type { WindowName } from "./description.ts";

const PERIODIC = 16;

/** Numbers of the windows in assembly/features/windows.ts. */
export const WINDOWS: Record<WindowName, number> = {
  rectangular: 0,
  hann: 1,
  "hann-periodic": 1 + PERIODIC,
  hamming: 2,
  "hamming-periodic": 2 + PERIODIC,
  povey: 3,
  blackman: 4,
  "blackman-periodic": 4 + PERIODIC,
};
