import { readFile } from "node:fs/promises";
import { findModel } from "../../src/models/model-files.ts";

/** What these tests change in a tokenizer.json. */
export interface Vocabulary {
  added_tokens: { id: number; content: string }[];
  model: { vocab: Record<string, number>; merges: string[] };
}

export async function multilingualVocabulary(): Promise<Vocabulary> {
  const files = await findModel("tiny");
  return JSON.parse(await readFile(files.tokenizer, "utf8")) as Vocabulary;
}

/** As of English-only models: the same special tokens (openai/whisper gives both vocabularies all of them), ids one lower. */
export async function englishVocabulary(): Promise<Vocabulary> {
  const vocabulary = await multilingualVocabulary();
  const end = idOf(vocabulary, "<|endoftext|>");
  const text = Object.entries(vocabulary.model.vocab).filter(
    ([token, id]) => id < end - 1 || token === "<|endoftext|>",
  );
  vocabulary.model.vocab = Object.fromEntries(text.map(([token, id]) => [token, Math.min(id, end - 1)]));
  vocabulary.model.merges = vocabulary.model.merges.filter((merge) => {
    return [...merge.split(" "), merge.replace(" ", "")].every((token) => token in vocabulary.model.vocab);
  });
  for (const token of vocabulary.added_tokens) token.id--;
  return vocabulary;
}

/** As of large-v3: Cantonese after the other languages, everything behind one higher, and the newer name of no speech. */
export async function largeV3Vocabulary(): Promise<Vocabulary> {
  const vocabulary = await multilingualVocabulary();
  const first = idOf(vocabulary, "<|translate|>");
  const model = vocabulary.added_tokens.find(({ id }) => id === first)!;
  for (const token of vocabulary.added_tokens) {
    if (token.id >= first) token.id++;
    if (token.content === "<|nocaptions|>") token.content = "<|nospeech|>";
  }
  vocabulary.added_tokens.push({ ...model, id: first, content: "<|yue|>" });
  vocabulary.added_tokens.sort((a, b) => a.id - b.id);
  return vocabulary;
}

export function idOf(vocabulary: Vocabulary, content: string): number {
  return vocabulary.added_tokens.find((token) => token.content === content)!.id;
}
