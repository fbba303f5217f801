/**
 * Length of a text in UTF-8 over the length of its zlib compression: text that repeats itself has a high one
 * (openai/whisper `utils.py`, `compression_ratio`).
 *
 * @returns 0 for an empty text.
 */
export async function compressionRatio(text: string): Promise<number> {
  const bytes = new TextEncoder().encode(text);
  const compressed = new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate")));
  return bytes.length / (await compressed.arrayBuffer()).byteLength;
}
