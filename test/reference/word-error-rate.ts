/**
 * Word error rate after Whisper's English text normalisation (Radford et al. 2022, appendix C):
 * lower case, brackets and fillers out, contractions and titles written out, number words as digits,
 * punctuation and accents out, British spellings as American where a table of them is given.
 */
const REPLACEMENTS: [RegExp, string][] = [
  [/\bwon't\b/g, "will not"],
  [/\bcan't\b/g, "can not"],
  [/\blet's\b/g, "let us"],
  [/\bain't\b/g, "aint"],
  [/\by'all\b/g, "you all"],
  [/\bwanna\b/g, "want to"],
  [/\bgotta\b/g, "got to"],
  [/\bgonna\b/g, "going to"],
  [/\bma'am\b/g, "madam"],
  [/\bmr\b\.?/g, "mister"],
  [/\bmrs\b\.?/g, "missus"],
  [/\bst\b\.?/g, "saint"],
  [/\bdr\b\.?/g, "doctor"],
  [/\bprof\b\.?/g, "professor"],
  [/\bcapt\b\.?/g, "captain"],
  [/\bgov\b\.?/g, "governor"],
  [/\bgen\b\.?/g, "general"],
  [/\bsen\b\.?/g, "senator"],
  [/\brev\b\.?/g, "reverend"],
  [/\besq\b\.?/g, "esquire"],
  [/n't\b/g, " not"],
  [/'re\b/g, " are"],
  [/'s\b/g, " is"],
  [/'d\b/g, " would"],
  [/'ll\b/g, " will"],
  [/'t\b/g, " not"],
  [/'ve\b/g, " have"],
  [/'m\b/g, " am"],
];
const FILLERS = /\b(hmm|mm|mhm|mmm|uh|um)\b/g;

const UNITS =
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(
    " ",
  );
const TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split(" ");
const SCALES = new Map([
  ["thousand", 1e3],
  ["million", 1e6],
  ["billion", 1e9],
]);

/** Words of a text in their normal form. */
export function normalize(text: string, spellings: Record<string, string> = {}): string[] {
  let plain = text
    .toLowerCase()
    .replace(/[<[][^>\]]*[>\]]/g, "")
    .replace(/\([^)]+?\)/g, "")
    .replace(/[\u2018\u2019]/g, "'")
    .replace(FILLERS, "")
    .replace(/\s+'/g, "'");
  for (const [pattern, replacement] of REPLACEMENTS) plain = plain.replace(pattern, replacement);
  const words = plain
    .replace(/(\d),(\d)/g, "$1$2")
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/[^\p{L}\p{N}\s]/gu, " ")
    .split(/\s+/)
    .filter((word) => word !== "")
    .map((word) => spellings[word] ?? word);
  return numbersAsDigits(words);
}

/** "twenty three" → "23", "two hundred and one" → "201"; other words stay. */
function numbersAsDigits(words: string[]): string[] {
  const out: string[] = [];
  let total = 0;
  let part = 0;
  let open = false;
  const close = () => {
    if (open) out.push(String(total + part));
    total = 0;
    part = 0;
    open = false;
  };
  for (const [i, word] of words.entries()) {
    const unit = UNITS.indexOf(word);
    const ten = TENS.indexOf(word);
    const scale = SCALES.get(word);
    if (unit >= 0) {
      const fits = !open || (part % 10 === 0 && unit < 10 && part % 100 >= 20) || part % 100 === 0;
      if (!fits) close();
      part += unit;
      open = true;
    } else if (ten >= 0) {
      if (open && part % 100 !== 0) close();
      part += (ten + 2) * 10;
      open = true;
    } else if (word === "hundred" && open && part > 0 && part < 10) {
      part *= 100;
    } else if (scale !== undefined && open && part > 0) {
      total += part * scale;
      part = 0;
    } else if (!(word === "and" && open && part % 100 === 0 && isNumber(words[i + 1]))) {
      close();
      out.push(word);
    }
  }
  close();
  return out;
}

function isNumber(word: string | undefined): boolean {
  return word !== undefined && (UNITS.includes(word) || TENS.includes(word));
}

/** Substitutions, insertions and deletions that turn `reference` into `hypothesis` (Levenshtein over words). */
export function wordErrors(reference: string[], hypothesis: string[]): number {
  let row = hypothesis.map((_, i) => i + 1);
  row.unshift(0);
  for (const [i, word] of reference.entries()) {
    const next = [i + 1];
    for (const [j, heard] of hypothesis.entries()) {
      next.push(Math.min(row[j]! + (word === heard ? 0 : 1), row[j + 1]! + 1, next[j]! + 1));
    }
    row = next;
  }
  return row.at(-1)!;
}

/** Word errors per word of the reference, over all pairs of [reference, hypothesis]. */
export function wordErrorRate(pairs: [string, string][], spellings: Record<string, string> = {}): number {
  let errors = 0;
  let words = 0;
  for (const [reference, hypothesis] of pairs) {
    const expected = normalize(reference, spellings);
    errors += wordErrors(expected, normalize(hypothesis, spellings));
    words += expected.length;
  }
  return errors / words;
}
