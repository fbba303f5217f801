import { Tokenizer } from "@huggingface/tokenizers";
import { describe } from "../core/arguments.ts";
import { ModelFormatError, UnknownLanguageError } from "../core/errors.ts";
import type { ModelFiles } from "./model-files.ts";
import { readJson, type WhisperConfig } from "./whisper-config.ts";

/** Whisper's vocabulary: the prompts it understands and the way from tokens to text. */
export interface WhisperTokenizer {
  /** End of text: the decoder stops here. */
  readonly endOfText: number;
  /** The token before the timestamps; every id above it is one. */
  readonly noTimestamps: number;
  /** Language codes that the model knows, sorted; only "en" for English-only models. */
  readonly languages: readonly string[];
  /**
   * Tokens that start a transcription without timestamps in `language`.
   *
   * @throws UnknownLanguageError when the model does not know the code.
   */
  prompt(language: string): number[];
  /**
   * Text of a token sequence, special tokens left out, trimmed.
   *
   * @throws ModelFormatError for a token that the vocabulary does not have.
   */
  decode(tokens: number[]): string;
}

/**
 * Loads the tokenizer of a Whisper export. Prompts follow openai/whisper `tokenizer.py`
 * (`sot_sequence_including_notimestamps`).
 *
 * @throws ModelFormatError when a file is broken or a special token is missing.
 */
export async function loadTokenizer(files: ModelFiles, config: WhisperConfig): Promise<WhisperTokenizer> {
  const tokenizer = await parse(files);
  const id = (token: string): number => {
    const found = tokenizer.token_to_id(token);
    if (found !== undefined) return found;
    throw new ModelFormatError(
      `${files.tokenizer} has no token ${token}: no Whisper vocabulary; fetch the model again`,
    );
  };
  const start = id("<|startoftranscript|>");
  const endOfText = id("<|endoftext|>");
  const noTimestamps = id("<|notimestamps|>");
  if (start !== config.startToken || endOfText !== config.endToken) {
    throw new ModelFormatError(
      `${files.tokenizer} starts and ends a text with tokens ${start} and ${endOfText}, ${files.config} with ${config.startToken} and ${config.endToken}; check that all files are of one model`,
    );
  }
  const transcribe = tokenizer.token_to_id("<|transcribe|>");
  // Language tokens lie between the start token and the task tokens; English-only models lack German.
  const multilingual = tokenizer.token_to_id("<|de|>") !== undefined && transcribe !== undefined;
  const languageIds = new Map<string, number>();
  if (multilingual) {
    for (const [tokenId, token] of tokenizer.get_added_tokens_decoder()) {
      const code = /^<\|([a-z]{2,3})\|>$/.exec(token.content)?.[1];
      if (code && tokenId > start && tokenId < transcribe) languageIds.set(code, tokenId);
    }
  }
  const languages = multilingual ? [...languageIds.keys()].sort() : ["en"];

  function prompt(language: string): number[] {
    const code = typeof language === "string" ? language.toLowerCase() : "";
    if (!languages.includes(code)) {
      throw new UnknownLanguageError(
        `unknown language code ${describe(language)}; give one of ${languages.join(", ")}`,
      );
    }
    return multilingual ? [start, languageIds.get(code)!, transcribe, noTimestamps] : [start, noTimestamps];
  }

  function decode(tokens: number[]): string {
    const stranger = tokens.find((token) => tokenizer.id_to_token(token) === undefined);
    if (stranger !== undefined) {
      throw new ModelFormatError(
        `${files.tokenizer} has no token ${stranger}, which the decoder chose; check that all files are of one model`,
      );
    }
    return tokens.length === 0 ? "" : tokenizer.decode(tokens, { skip_special_tokens: true }).trim();
  }

  return {
    endOfText,
    noTimestamps,
    languages,
    prompt,
    decode,
  };
}

async function parse(files: ModelFiles): Promise<Tokenizer> {
  const tokenizer = await readJson(files.tokenizer);
  const config = files.tokenizerConfig ? await readJson(files.tokenizerConfig) : {};
  try {
    return new Tokenizer(tokenizer, config);
  } catch (cause) {
    throw new ModelFormatError(
      `${files.tokenizer} is no tokenizer (${(cause as Error).message}); fetch the model again`,
      {
        cause,
      },
    );
  }
}
