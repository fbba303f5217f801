/**
 * English numbers in words as digits, as EnglishNumberNormalizer of openai/whisper (`normalizers/english.py`) writes
 * them: "thirty one" → 31, "nineteen fifties" → 1950s, "two dollars and seventy cents" → $2.70. What the reference
 * does not know ("ninth", which it spells "nineth") is left alone here too: error rates are to be comparable.
 */
import { unicodePattern } from "./unicode-pattern.mjs";

const UNITS = new Map(
  [
    ..."one two three four five six seven eight nine ten eleven twelve thirteen fourteen".split(" "),
    ..."fifteen sixteen seventeen eighteen nineteen".split(" "),
  ].map((word, i) => [word, BigInt(i + 1)]),
);
const TENS = new Map(
  "twenty thirty forty fifty sixty seventy eighty ninety"
    .split(" ")
    .map((word, i) => [word, BigInt(10 * (i + 2))]),
);
const MULTIPLIERS = new Map([
  ["hundred", 100n],
  ...[
    ..."thousand million billion trillion quadrillion quintillion".split(" "),
    ..."sextillion septillion octillion nonillion decillion".split(" "),
  ].map((word, i) => [word, 1000n ** BigInt(i + 1)]),
]);
const ZEROS = ["o", "oh", "zero"];
const SIGNS = { minus: "-", negative: "-", plus: "+", positive: "+" };
const CURRENCIES = { pound: "£", euro: "€", dollar: "$", cent: "¢" };
const PREFIXES = new Set([...Object.values(SIGNS), ...Object.values(CURRENCIES)]);
const NUMERIC = /^[0-9]+(\.[0-9]+)?$/;

/** What each word of the vocabulary is. */
const VOCABULARY = new Map();
for (const word of ZEROS) VOCABULARY.set(word, { kind: "zero" });
addNumbers("unit", UNITS, unitPlural, unitOrdinal);
addNumbers(
  "ten",
  TENS,
  (word) => word.replace("y", "ies"),
  (word) => [word.replace("y", "ieth"), "th"],
);
addNumbers(
  "multiplier",
  MULTIPLIERS,
  (word) => `${word}s`,
  (word) => [`${word}th`, "th"],
);
VOCABULARY.set("zeroth", { kind: "unit", number: 0n, suffix: "th" });
for (const [word, prefix] of Object.entries(SIGNS)) VOCABULARY.set(word, { kind: "sign", prefix });
for (const [word, prefix] of Object.entries(CURRENCIES)) {
  for (const form of [word, `${word}s`]) VOCABULARY.set(form, { kind: "currency", prefix });
}
for (const kind of ["per", "percent", "and", "point"]) VOCABULARY.set(kind, { kind });
VOCABULARY.set("double", { kind: "repeat", times: 2 });
VOCABULARY.set("triple", { kind: "repeat", times: 3 });

function addNumbers(kind, numbers, plural, ordinal) {
  for (const [word, number] of numbers) {
    VOCABULARY.set(word, { kind, number });
    VOCABULARY.set(plural(word), { kind, number, suffix: "s" });
    const [form, suffix] = ordinal(word);
    VOCABULARY.set(form, { kind, number, suffix });
  }
}

function unitPlural(word) {
  return word === "six" ? "sixes" : `${word}s`;
}

function unitOrdinal(word) {
  const irregular = {
    one: ["first", "st"],
    two: ["second", "nd"],
    three: ["third", "rd"],
    five: ["fifth", "th"],
    twelve: ["twelfth", "th"],
  };
  return irregular[word] ?? [word.endsWith("t") ? `${word}h` : `${word}th`, "th"];
}

/** Numbers of a text in digits; the text is in lower case, its symbols gone but `.%$¢€£`. */
export function numbersAsDigits(text) {
  const words = splitWords(separate(halves(text)));
  return joinCents(digits(words).join(" "));
}

/** Words between white space. */
export function splitWords(text) {
  return text.split(/\s+/).filter((word) => word !== "");
}

const AND_A_HALF = unicodePattern("\\band\\s+a\\s+half\\b", "g");

/** "three and a half million" → "three point five million" */
function halves(text) {
  const parts = text.split(AND_A_HALF);
  const out = [];
  for (const [i, part] of parts.entries()) {
    if (part.trim() === "") continue;
    out.push(part);
    if (i === parts.length - 1) continue;
    const last = splitWords(part).at(-1);
    const number = isDecimal(last) || MULTIPLIERS.has(last);
    out.push(number ? "point five" : "and a half");
  }
  return out.join(" ");
}

/** "b747" → "b 747", but "10 th" → "10th" */
function separate(text) {
  return text
    .replace(/([a-z])([0-9])/g, "$1 $2")
    .replace(/([0-9])([a-z])/g, "$1 $2")
    .replace(unicodePattern("([0-9])\\s+(st|nd|rd|th|s)\\b", "g"), "$1$2");
}

/** "$2 and ¢7" → "$2.07", "$0.36" → "¢36"; and 1 as the word, for the eye. */
function joinCents(text) {
  return text
    .replace(
      unicodePattern("([€£$])([0-9]+) (?:and )?¢([0-9]{1,2})\\b", "g"),
      (_, currency, whole, cents) => `${currency}${whole}.${cents.padStart(2, "0")}`,
    )
    .replace(unicodePattern("[€£$]0.([0-9]{1,2})\\b", "g"), (_, cents) => `¢${Number(cents)}`)
    .replace(unicodePattern("\\b1(s?)\\b", "g"), "one$1");
}

/**
 * One pass over the words. A `value` that is a bigint may still grow ("two hundred" + "six"); one that is a string
 * only gets digits written after it ("nineteen" "ninety" "nine").
 */
function digits(words) {
  const out = [];
  let prefix = "";
  let value;
  const put = (text) => {
    out.push(prefix + text);
    prefix = "";
    value = undefined;
  };
  const close = () => {
    if (value !== undefined) put(String(value));
  };
  const written = () => (value ? String(value) : "");

  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    const before = words[i - 1];
    const next = words[i + 1];
    const nextIsNumeric = next !== undefined && NUMERIC.test(next);
    const hasPrefix = PREFIXES.has(word[0]);
    const bare = hasPrefix ? word.slice(1) : word;
    const entry = VOCABULARY.get(word);

    if (NUMERIC.test(bare)) {
      if (typeof value === "string" && value.endsWith(".")) {
        value += word;
        continue;
      }
      close();
      if (hasPrefix) prefix = word[0];
      value = wholeProduct(bare, 1n) ?? bare;
      continue;
    }
    if (!entry) {
      close();
      put(word);
      continue;
    }
    const { kind, number, suffix } = entry;
    if (kind === "zero") value = `${written()}0`;
    else if (kind === "unit" || kind === "ten") {
      const sum = kind === "unit" ? withUnit(value, number, before) : withTen(value, number);
      if (suffix) put(`${sum}${suffix}`);
      else value = sum;
    } else if (kind === "multiplier") {
      const product = value === undefined ? number : times(value, number);
      if (product === undefined) close();
      if (suffix) put(`${product ?? number}${suffix}`);
      else value = product ?? number;
    } else if (kind === "sign") {
      close();
      if (VOCABULARY.has(next) || nextIsNumeric) prefix = entry.prefix;
      else put(word);
    } else if (kind === "currency") {
      if (value === undefined) put(word);
      else {
        prefix = entry.prefix;
        close();
      }
    } else if (kind === "percent") put(value === undefined ? word : `${value}%`);
    else if (kind === "per") {
      if (value !== undefined && next === "cent") {
        put(`${value}%`);
        i++;
      } else {
        close();
        put(word);
      }
    } else if (!VOCABULARY.has(next) && !nextIsNumeric) {
      close(); // "and", "point", "double" of no number
      put(word);
    } else if (kind === "and") {
      if (MULTIPLIERS.has(before)) continue; // "two hundred and six"
      close();
      put(word);
    } else if (kind === "repeat") {
      const digit = UNITS.get(next) ?? (ZEROS.includes(next) ? 0n : undefined);
      if (digit === undefined) {
        close();
        put(word);
      } else {
        value = written() + String(digit).repeat(entry.times);
        i++;
      }
    } else if (isDecimal(next) || nextIsNumeric) value = `${written()}.`; // "point"
  }
  close();
  return out;
}

function isDecimal(word) {
  return UNITS.has(word) || TENS.has(word) || ZEROS.includes(word);
}

/** A unit after a value: "twenty" "one" → 21, "nine" "one" → "91", and "20" "twenty" "one" → "2021". */
function withUnit(value, unit, before) {
  if (value === undefined) return unit;
  if (typeof value === "string" || UNITS.has(before)) {
    return TENS.has(before) && unit < 10n ? `${value.slice(0, -1)}${unit}` : `${value}${unit}`;
  }
  return value % (unit < 10n ? 10n : 100n) === 0n ? value + unit : `${value}${unit}`;
}

function withTen(value, ten) {
  if (value === undefined) return ten;
  return typeof value === "bigint" && value % 100n === 0n ? value + ten : `${value}${ten}`;
}

/** "forty three" × thousand, of which only what lies below a thousand is multiplied; undefined when it is no whole number. */
function times(value, multiplier) {
  if (typeof value === "string") return wholeProduct(value, multiplier);
  return (value / 1000n) * 1000n + (value % 1000n) * multiplier;
}

/** A decimal number in digits times a whole one, exactly; undefined when that is not whole, or no number. */
function wholeProduct(decimal, multiplier) {
  const parts = /^(?=[0-9]|\.[0-9])([0-9]*)(?:\.([0-9]*))?$/.exec(decimal);
  if (!parts) return undefined;
  const [, whole, fraction = ""] = parts;
  const product = BigInt(whole + fraction) * multiplier;
  const scale = 10n ** BigInt(fraction.length);
  return product % scale === 0n ? product / scale : undefined;
}
