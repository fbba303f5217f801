import { Tokenizer } from "@huggingface/tokenizers";
import { describe } from "../core/arguments.ts";
import { ModelFormatError, UnknownLanguageError, UnsupportedTaskError } from "../core/errors.ts";
import { toLanguageCode } from "./languages.ts";
import type { ModelFiles } from "./model-files.ts";
import { nonSpeechTokens } from "./non-speech.ts";
import { bytesOfToken } from "./token-bytes.ts";
import { readJson, type WhisperConfig } from "./whisper-config.ts";
import { splitToWords, type WordTokens } from "./word-tokens.ts";

/** Seconds from one timestamp token to the next. */
export const TIMESTAMP_STEP = 0.02;
/** Timestamp tokens from 0 to 30 s. */
export const TIMESTAMPS = 1501;

/** What the decoder is asked to write. */
export type WhisperTask = "transcribe" | "translate";

/** How a text starts. */
export interface StartOptions {
  /** Code or English name; ignored by English-only models unless it is another language. */
  language: string;
  task?: WhisperTask | undefined;
  timestamps?: boolean | undefined;
}

/** Whisper's vocabulary: special tokens, the starts of texts, and the way between text and tokens. */
export interface WhisperTokenizer {
  /** Whether there are tokens for languages and tasks that the model was trained with. */
  readonly multilingual: boolean;
  /** Language codes that the model knows, sorted; only "en" for English-only models. */
  readonly languages: readonly string[];
  /** Ids of the language tokens by code; empty for English-only models. */
  readonly languageTokens: ReadonlyMap<string, number>;
  /** "<|startoftranscript|>". */
  readonly startOfText: number;
  /** "<|endoftext|>": the decoder stops here. Every id above is a special token or a timestamp. */
  readonly endOfText: number;
  /** "<|startofprev|>": a prompt follows. */
  readonly startOfPrevious: number;
  /** "<|startoflm|>", where the vocabulary has it. */
  readonly startOfLanguageModel: number | undefined;
  /** "<|nospeech|>", in older exports "<|nocaptions|>"; where the vocabulary has it. */
  readonly noSpeech: number | undefined;
  /** "<|notimestamps|>". */
  readonly noTimestamps: number;
  /** "<|0.00|>", the first of {@link TIMESTAMPS}. */
  readonly timestampBegin: number;
  readonly transcribe: number | undefined;
  readonly translate: number | undefined;
  /** Tokens of what is written but not spoken (openai/whisper `non_speech_tokens`). */
  readonly nonSpeech: readonly number[];
  /** Tokens of a blank, which no text begins with. */
  readonly blank: readonly number[];
  /**
   * The code of a language given by code or English name ("de", "German").
   *
   * @throws UnknownLanguageError when the model does not know it.
   */
  languageCode(language: string): string;
  /**
   * Tokens that start a text (openai/whisper `tokenizer.py`, `sot_sequence`): start, language, task, and unless
   * timestamps are wanted "<|notimestamps|>".
   *
   * @throws UnknownLanguageError when the model does not know the language.
   * @throws UnsupportedTaskError for "translate" with an English-only model.
   */
  startTokens(options: StartOptions): number[];
  /** Tokens of a text, never special ones: "<|endoftext|>" is taken by its characters. */
  encode(text: string): number[];
  /**
   * Text of tokens, special ones and timestamps left out, spaces at its ends kept.
   *
   * @throws ModelFormatError for a token that the vocabulary does not have.
   */
  decode(tokens: readonly number[]): string;
  /** Text of tokens with special ones and timestamps written out, such as "<|1.08|>". */
  decodeWithTimestamps(tokens: readonly number[]): string;
  /** Whether a token begins a character, rather than holding further bytes of one. */
  beginsCharacter(token: number): boolean;
  /** Splits tokens into words, without spaces into characters (openai/whisper `split_to_word_tokens`). */
  splitToWords(tokens: readonly number[], language: string): WordTokens[];
}

/**
 * Loads the tokenizer of a Whisper export.
 *
 * @throws ModelFormatError when a file is broken or a special token is missing.
 */
export async function loadTokenizer(files: ModelFiles, config: WhisperConfig): Promise<WhisperTokenizer> {
  const vocabulary = await readJson(files.tokenizer);
  const settings = files.tokenizerConfig ? await readJson(files.tokenizerConfig) : {};
  return createTokenizer(vocabulary, settings, config, files);
}

/**
 * Makes the tokenizer from the contents of tokenizer.json and tokenizer_config.json. All ids are those of the
 * vocabulary: large-v3 has one language more than its forerunners, English-only models one text token less.
 *
 * @param names what error messages call the files
 * @throws ModelFormatError when the contents are no Whisper vocabulary.
 */
export function createTokenizer(
  vocabulary: object,
  settings: object,
  config: Pick<WhisperConfig, "startToken" | "endToken" | "multilingual">,
  names: Pick<ModelFiles, "tokenizer" | "config">,
): WhisperTokenizer {
  const tokenizer = parse(vocabulary, settings, names.tokenizer);
  const id = (token: string): number => {
    const found = tokenizer.token_to_id(token);
    if (found !== undefined) return found;
    throw new ModelFormatError(
      `${names.tokenizer} has no token ${token}: no Whisper vocabulary; fetch the model again`,
    );
  };
  const startOfText = id("<|startoftranscript|>");
  const endOfText = id("<|endoftext|>");
  const noTimestamps = id("<|notimestamps|>");
  // Older files leave the timestamps out; they always follow.
  const timestampBegin = tokenizer.token_to_id("<|0.00|>") ?? noTimestamps + 1;
  if (startOfText !== config.startToken || endOfText !== config.endToken) {
    throw new ModelFormatError(
      `${names.tokenizer} starts and ends a text with tokens ${startOfText} and ${endOfText}, ${names.config} with ${config.startToken} and ${config.endToken}; check that all files are of one model`,
    );
  }
  const transcribe = tokenizer.token_to_id("<|transcribe|>");
  const translate = tokenizer.token_to_id("<|translate|>");
  const multilingual = config.multilingual && transcribe !== undefined;
  // English-only vocabularies have these tokens too, but no model was trained with them.
  const languageTokens = multilingual ? languagesBetween(tokenizer, startOfText, transcribe) : new Map();
  const languages = multilingual ? [...languageTokens.keys()].sort() : ["en"];

  const bytes = new Map<number, Uint8Array>();
  const bytesOf = (token: number): Uint8Array => {
    let found = bytes.get(token);
    if (!found) {
      const text = tokenizer.id_to_token(token);
      if (text === undefined) {
        throw new ModelFormatError(
          `${names.tokenizer} has no token ${token}, which the decoder chose; check that all files are of one model`,
        );
      }
      found = bytesOfToken(text);
      bytes.set(token, found);
    }
    return found;
  };
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const isTimestamp = (token: number) => token >= timestampBegin && token < timestampBegin + TIMESTAMPS;
  const text = (tokens: readonly number[]): string => {
    const parts = tokens.map(bytesOf);
    const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let offset = 0;
    for (const part of parts) {
      joined.set(part, offset);
      offset += part.length;
    }
    return decoder.decode(joined);
  };
  const encode = (input: string): number[] =>
    // Cut where a special token would have to match.
    input.split(/(?<=<)(?=\|)/).flatMap((part) => tokenizer.encode(part, { add_special_tokens: false }).ids);

  function languageCode(language: string): string {
    const code = typeof language === "string" ? toLanguageCode(language) : "";
    if (languages.includes(code)) return code;
    throw new UnknownLanguageError(
      `unknown language code ${describe(language)}; give one of ${languages.join(", ")}`,
    );
  }

  function decodeWithTimestamps(tokens: readonly number[]): string {
    let out = "";
    let run: number[] = [];
    for (const token of tokens) {
      if (!isTimestamp(token)) {
        run.push(token);
        continue;
      }
      out += `${text(run)}<|${((token - timestampBegin) * TIMESTAMP_STEP).toFixed(2)}|>`;
      run = [];
    }
    return out + text(run);
  }

  return {
    multilingual,
    languages,
    languageTokens,
    startOfText,
    endOfText,
    startOfPrevious: id("<|startofprev|>"),
    startOfLanguageModel: tokenizer.token_to_id("<|startoflm|>"),
    noSpeech: tokenizer.token_to_id("<|nospeech|>") ?? tokenizer.token_to_id("<|nocaptions|>"),
    noTimestamps,
    timestampBegin,
    transcribe,
    translate,
    nonSpeech: nonSpeechTokens(encode),
    blank: encode(" "),
    languageCode,
    startTokens({ language, task = "transcribe", timestamps = false }) {
      const code = languageCode(language);
      const last = timestamps ? [] : [noTimestamps];
      if (multilingual) {
        const taskToken = task === "translate" ? translate : transcribe;
        if (taskToken !== undefined) return [startOfText, languageTokens.get(code)!, taskToken, ...last];
      } else if (task !== "translate") return [startOfText, ...last];
      throw new UnsupportedTaskError(
        `this model is English-only and cannot "translate"; take a multilingual model, or the task "transcribe"`,
      );
    },
    encode,
    decode(tokens) {
      return text(
        tokens.filter((token) => token < endOfText || (token > timestampBegin && !isTimestamp(token))),
      );
    },
    decodeWithTimestamps,
    beginsCharacter: (token) => bytesOf(token).some((byte) => (byte & 0xc0) !== 0x80),
    splitToWords: (tokens, language) => splitToWords(tokens, language, endOfText, decodeWithTimestamps),
  };
}

/** Language tokens lie between the start token and those of the tasks, whichever they are. */
function languagesBetween(tokenizer: Tokenizer, start: number, end: number): Map<string, number> {
  const found = new Map<string, number>();
  for (const [id, token] of tokenizer.get_added_tokens_decoder()) {
    const code = /^<\|([a-z]{2,3})\|>$/.exec(token.content)?.[1];
    if (code && id > start && id < end) found.set(code, id);
  }
  return found;
}

function parse(vocabulary: object, settings: object, name: string): Tokenizer {
  try {
    return new Tokenizer(vocabulary, settings);
  } catch (cause) {
    throw new ModelFormatError(
      `${name} is no tokenizer (${(cause as Error).message}); fetch the model again`,
      { cause },
    );
  }
}
