/** Points of the largest transform. */
export const MAX_FFT_SIZE = 8192;

/** Whether a number has no prime factors but 2, 3 and 5. */
export function isSmooth(size: number): boolean {
  let rest = size;
  for (const prime of [2, 3, 5]) while (rest % prime === 0) rest /= prime;
  return rest === 1;
}

/** The supported sizes nearest to one that is not. */
export function nearestSizes(size: number): number[] {
  let below = Math.min(size, MAX_FFT_SIZE);
  while (!isSmooth(below)) below--;
  let above = size;
  while (above < MAX_FFT_SIZE && !isSmooth(above)) above++;
  return above === below || above > MAX_FFT_SIZE ? [below] : [below, above];
}
