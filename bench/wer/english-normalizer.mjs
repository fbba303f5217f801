/**
 * Text as openai/whisper normalises it before it counts word errors (Radford et al. 2022, appendix C): the rules of
 * EnglishTextNormalizer (`normalizers/english.py`) and BasicTextNormalizer (`normalizers/basic.py`), in their order.
 * The spelling table is the model's own normalizer.json, the reference's english.json.
 */
import { numbersAsDigits, splitWords } from "./number-words.mjs";
import { unicodePattern } from "./unicode-pattern.mjs";

const FILLERS = unicodePattern("\\b(hmm|mm|mhm|mmm|uh|um)\\b", "g");

/** In order: the titles lose their period later, and "'s been" comes before "'s". */
const REPLACEMENTS = Object.entries({
  "\\bwon't\\b": "will not",
  "\\bcan't\\b": "can not",
  "\\blet's\\b": "let us",
  "\\bain't\\b": "aint",
  "\\by'all\\b": "you all",
  "\\bwanna\\b": "want to",
  "\\bgotta\\b": "got to",
  "\\bgonna\\b": "going to",
  "\\bi'ma\\b": "i am going to",
  "\\bimma\\b": "i am going to",
  "\\bwoulda\\b": "would have",
  "\\bcoulda\\b": "could have",
  "\\bshoulda\\b": "should have",
  "\\bma'am\\b": "madam",
  "\\bmr\\b": "mister ",
  "\\bmrs\\b": "missus ",
  "\\bst\\b": "saint ",
  "\\bdr\\b": "doctor ",
  "\\bprof\\b": "professor ",
  "\\bcapt\\b": "captain ",
  "\\bgov\\b": "governor ",
  "\\bald\\b": "alderman ",
  "\\bgen\\b": "general ",
  "\\bsen\\b": "senator ",
  "\\brep\\b": "representative ",
  "\\bpres\\b": "president ",
  "\\brev\\b": "reverend ",
  "\\bhon\\b": "honorable ",
  "\\basst\\b": "assistant ",
  "\\bassoc\\b": "associate ",
  "\\blt\\b": "lieutenant ",
  "\\bcol\\b": "colonel ",
  "\\bjr\\b": "junior ",
  "\\bsr\\b": "senior ",
  "\\besq\\b": "esquire ",
  "'d been\\b": " had been",
  "'s been\\b": " has been",
  "'d gone\\b": " had gone",
  "'s gone\\b": " has gone",
  "'d done\\b": " had done",
  "'s got\\b": " has got",
  "n't\\b": " not",
  "'re\\b": " are",
  "'s\\b": " is",
  "'d\\b": " would",
  "'ll\\b": " will",
  "'t\\b": " not",
  "'ve\\b": " have",
  "'m\\b": " am",
}).map(([source, replacement]) => [unicodePattern(source, "g"), replacement]);

/** Letters that no normal form of Unicode takes apart. */
const LETTERS = new Map(
  Object.entries({ œ: "oe", ø: "o", æ: "ae", ß: "ss", đ: "d", ð: "d", þ: "th", ł: "l" }),
);
for (const [letter, plain] of [...LETTERS]) {
  if (letter !== "ß") LETTERS.set(letter.toUpperCase(), plain.toUpperCase());
}
LETTERS.set("ẞ", "SS").set("Þ", "th"); // as the reference has it

/**
 * English text in its normal form.
 *
 * @param spellings British to American, as in the model's normalizer.json
 */
export function normalizeEnglish(text, spellings = {}) {
  let plain = withoutBrackets(text.toLowerCase()).replace(FILLERS, "").replace(/\s+'/g, "'");
  for (const [pattern, replacement] of REPLACEMENTS) plain = plain.replace(pattern, replacement);
  plain = plain.replace(unicodePattern("(\\d),(\\d)", "g"), "$1$2").replace(/\.([^0-9]|$)/g, " $1");
  plain = numbersAsDigits(withoutSymbolsAndDiacritics(plain, ".%$¢€£"));
  return normalizeSpelling(plain, spellings)
    .replace(/([$¢€£])\s+([0-9])/g, "$1$2")
    .replace(/([0-9])\s+%/g, "$1%")
    .replace(/[.$¢€£]([^0-9])/g, " $1")
    .replace(/([^0-9])%/g, "$1 ")
    .replace(/\s+/g, " ");
}

/** Words as the table spells them. */
export function normalizeSpelling(text, spellings) {
  return splitWords(text)
    .map((word) => (Object.hasOwn(spellings, word) ? spellings[word] : word))
    .join(" ");
}

/** Text of any language in its normal form; `splitLetters` for those without spaces: then characters are counted. */
export function normalizeBasic(text, { removeDiacritics = false, splitLetters = false } = {}) {
  const plain = withoutBrackets(text.toLowerCase());
  let clean = (removeDiacritics ? withoutSymbolsAndDiacritics(plain) : withoutSymbols(plain)).toLowerCase();
  if (splitLetters) {
    const graphemes = new Intl.Segmenter("und", { granularity: "grapheme" }).segment(clean);
    clean = Array.from(graphemes, ({ segment }) => segment).join(" ");
  }
  return clean.replace(/\s+/g, " ");
}

function withoutBrackets(text) {
  return text.replace(/[<[][^>\]]*[>\]]/g, "").replace(/\(([^)]+?)\)/g, "");
}

/** A space for every mark, symbol and punctuation, diacritics gone. */
function withoutSymbolsAndDiacritics(text, keep = "") {
  let plain = "";
  for (const c of text.normalize("NFKD")) {
    if (keep.includes(c)) plain += c;
    else if (LETTERS.has(c)) plain += LETTERS.get(c);
    else if (!/\p{Mn}/u.test(c)) plain += /[\p{M}\p{S}\p{P}]/u.test(c) ? " " : c;
  }
  return plain;
}

function withoutSymbols(text) {
  return text.normalize("NFKC").replace(/[\p{M}\p{S}\p{P}]/gu, " ");
}

/**
 * The table of a model's normalizer.json without the fillers that Hugging Face's copy adds to OpenAI's english.json
 * ("mm" → "hmm", which would spell 10 mm as 10 hmm).
 */
export function spellingTable(json) {
  return Object.fromEntries(Object.entries(JSON.parse(json)).filter(([, spelling]) => spelling !== "hmm"));
}
