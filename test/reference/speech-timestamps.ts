/** What counts as speech, in samples. */
export interface TimestampRules {
  threshold: number;
  negativeThreshold: number;
  minSpeech: number;
  minSilence: number;
  pad: number;
}

/**
 * Regions of speech of a whole sound from the probabilities of its chunks, by the rules of get_speech_timestamps in
 * silero-vad's src/silero_vad/utils_vad.py without a longest speech, in passes: runs, lengths, padding.
 */
export function speechTimestamps(
  probabilities: readonly number[],
  chunk: number,
  length: number,
  { threshold, negativeThreshold, minSpeech, minSilence, pad }: TimestampRules,
): { start: number; end: number }[] {
  const runs: { start: number; end: number }[] = [];
  let i = 0;
  while (i < probabilities.length) {
    if (probabilities[i]! < threshold) {
      i++;
      continue;
    }
    const start = i;
    let quiet = -1;
    let end = -1;
    for (i++; i < probabilities.length && end < 0; i++) {
      if (probabilities[i]! >= threshold) quiet = -1;
      else if (probabilities[i]! < negativeThreshold) {
        if (quiet < 0) quiet = i;
        if ((i - quiet) * chunk >= minSilence) end = quiet;
      }
    }
    runs.push({ start: start * chunk, end: end < 0 ? length : end * chunk });
  }
  const kept = runs.filter(({ start, end }) => end - start > minSpeech);
  return kept.map(({ start, end }, k) => {
    const before = k === 0 ? 2 * start : start - kept[k - 1]!.end;
    const after = k === kept.length - 1 ? 2 * (length - end) : kept[k + 1]!.start - end;
    return {
      start: start - Math.min(pad, Math.floor(before / 2)),
      end: end + Math.min(pad, Math.floor(after / 2)),
    };
  });
}
