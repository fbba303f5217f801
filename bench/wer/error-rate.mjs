/** Errors between what was said and what was heard: Levenshtein distance, rates, alignment, confidence. */
import { seededNoise } from "../mel/signal.mjs";
import { normalizeBasic, normalizeEnglish } from "./english-normalizer.mjs";
import { splitWords } from "./number-words.mjs";

/** Substitutions, insertions and deletions that turn `reference` into `hypothesis`, over words or characters. */
export function editDistance(reference, hypothesis) {
  let row = Array.from({ length: hypothesis.length + 1 }, (_, i) => i);
  for (let i = 0; i < reference.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < hypothesis.length; j++) {
      const same = reference[i] === hypothesis[j] ? 0 : 1;
      next.push(Math.min(row[j] + same, row[j + 1] + 1, next[j] + 1));
    }
    row = next;
  }
  return row[hypothesis.length];
}

/** Words of a text in Whisper's normal form: that of English, or that of all other languages, which keeps accents. */
export function normalWords(text, spellings, language = "en") {
  return splitWords(language === "en" ? normalizeEnglish(text, spellings) : normalizeBasic(text));
}

/** Word and character errors of one text; characters are those of the normal form, spaces between words among them. */
export function countErrors(reference, hypothesis, spellings, language) {
  const said = normalWords(reference, spellings, language);
  const heard = normalWords(hypothesis, spellings, language);
  const saidCharacters = [...said.join(" ")];
  return {
    words: said.length,
    wordErrors: editDistance(said, heard),
    characters: saidCharacters.length,
    characterErrors: editDistance(saidCharacters, [...heard.join(" ")]),
  };
}

/** Errors over all texts, divided by the words (or characters) of all of them. */
export function rates(counts) {
  const sum = (field) => counts.reduce((total, count) => total + count[field], 0);
  return {
    wer: sum("wordErrors") / sum("words"),
    cer: sum("characterErrors") / sum("characters"),
  };
}

/**
 * 95 % interval of a figure of the clips, by resampling clips (Efron's percentile bootstrap; Bisani & Ney 2004 for word
 * error rates). Clips are drawn as wholes, so that what contenders make of the same clip stays paired.
 *
 * @param clips what the figure is of
 * @param figure of a list of clips
 */
export function bootstrap(clips, figure, { draws = 2000, seed = 1, level = 0.95 } = {}) {
  const random = seededNoise(seed);
  const uniform = () => Math.min(0.999999, Math.max(0, (random() + 1) / 2));
  const figures = Array.from({ length: draws }, () =>
    figure(clips.map(() => clips[Math.floor(uniform() * clips.length)])),
  ).sort((a, b) => a - b);
  const at = (share) => figures[Math.round(share * (draws - 1))];
  return { value: figure(clips), low: at((1 - level) / 2), high: at((1 + level) / 2) };
}

/**
 * Aligns words at the least number of errors. For every word of the reference, where it is in the hypothesis: the index
 * of the word it stands against and whether they are the same, or -1 where it was left out. Words too many are listed.
 */
export function align(reference, hypothesis) {
  const width = hypothesis.length + 1;
  const cost = new Uint32Array((reference.length + 1) * width);
  for (let j = 0; j < width; j++) cost[j] = j;
  for (let i = 1; i <= reference.length; i++) {
    cost[i * width] = i;
    for (let j = 1; j < width; j++) {
      const same = reference[i - 1] === hypothesis[j - 1] ? 0 : 1;
      const at = i * width + j;
      cost[at] = Math.min(cost[at - width - 1] + same, cost[at - width] + 1, cost[at - 1] + 1);
    }
  }
  const matches = new Array(reference.length);
  const inserted = [];
  let i = reference.length;
  let j = hypothesis.length;
  while (i > 0 || j > 0) {
    const here = cost[i * width + j];
    const same = i > 0 && j > 0 && reference[i - 1] === hypothesis[j - 1];
    if (i > 0 && j > 0 && here === cost[(i - 1) * width + j - 1] + (same ? 0 : 1)) {
      matches[--i] = { index: --j, same };
    } else if (i > 0 && here === cost[(i - 1) * width + j] + 1) {
      matches[--i] = { index: -1, same: false };
    } else {
      inserted.push({ index: --j, before: i });
    }
  }
  return { matches, inserted: inserted.reverse() };
}
