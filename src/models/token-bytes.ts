/**
 * The bytes that the characters of a byte-level vocabulary stand for: printable Latin-1 for itself, the other
 * bytes for U+0100 upwards (openai/gpt-2 `encoder.py`, `bytes_to_unicode`).
 */
const BYTES: ReadonlyMap<string, number> = byteTable();

function byteTable(): Map<string, number> {
  const table = new Map<string, number>();
  let next = 0x100;
  for (let byte = 0; byte < 256; byte++) {
    const printable =
      (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
    table.set(String.fromCharCode(printable ? byte : next++), byte);
  }
  return table;
}

/** UTF-8 bytes of a byte-level token as it stands in the vocabulary ("Ġhello"), perhaps part of a character only. */
export function bytesOfToken(token: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of token) {
    const byte = BYTES.get(character);
    // Added tokens are plain text.
    if (byte === undefined) return new TextEncoder().encode(token);
    bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}
