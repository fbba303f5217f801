/** Wire types of protocol buffers: https://protobuf.dev/programming-guides/encoding/ */
const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/** One field of a message, as a view of the message's bytes. */
export interface Field {
  readonly number: number;
  readonly wireType: number;
  /** The whole field, tag and length included. */
  readonly bytes: Uint8Array;
  /** What it holds; of a varint its own bytes. */
  readonly content: Uint8Array;
}

/**
 * Reads the fields of a message in order, without a copy.
 *
 * @throws RangeError when the bytes are no message.
 */
export function readFields(message: Uint8Array): Field[] {
  const fields: Field[] = [];
  let at = 0;
  while (at < message.length) {
    const start = at;
    const tag = readVarint(message, at);
    at = tag.end;
    const wireType = tag.value % 8;
    const number = Math.floor(tag.value / 8);
    let from = at;
    if (wireType === VARINT) at = readVarint(message, at).end;
    else if (wireType === FIXED64) at += 8;
    else if (wireType === FIXED32) at += 4;
    else if (wireType === LENGTH_DELIMITED) {
      const length = readVarint(message, at);
      from = length.end;
      at = from + length.value;
    } else throw new RangeError(`byte ${start} begins a field of wire type ${wireType}`);
    if (number === 0 || at > message.length)
      throw new RangeError(`the field at byte ${start} is cut off or broken`);
    fields.push({
      number,
      wireType,
      bytes: message.subarray(start, at),
      content: message.subarray(from, at),
    });
  }
  return fields;
}

/**
 * A base-128 number of up to 53 bits and the place behind it.
 *
 * @throws RangeError when it is cut off.
 */
export function readVarint(bytes: Uint8Array, at: number): { value: number; end: number } {
  let value = 0;
  let scale = 1;
  for (let end = at; end < bytes.length && end < at + 10; end++) {
    const byte = bytes[end]!;
    value += (byte & 127) * scale;
    scale *= 128;
    if (byte < 128) return { value, end: end + 1 };
  }
  throw new RangeError(`the number at byte ${at} is cut off`);
}

/** The text of a string field. */
export function readText(content: Uint8Array): string {
  return new TextDecoder().decode(content);
}

/** What messages are joined of: bytes, or what writes as many in their place, so that big ones are made only there. */
export type Part = Uint8Array | { readonly length: number; writeTo(place: Uint8Array): void };

/** A length-delimited field made of parts, which are copied once, by whoever joins the whole. */
export function field<P extends Part = Uint8Array>(number: number, ...parts: P[]): (P | Uint8Array)[] {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return [varint(number * 8 + LENGTH_DELIMITED), varint(length), ...parts];
}

export function textField(number: number, text: string): Uint8Array[] {
  return field(number, new TextEncoder().encode(text));
}

export function varintField(number: number, value: number): Uint8Array[] {
  return [varint(number * 8 + VARINT), varint(value)];
}

/** Joins parts to one array. */
export function join(parts: readonly Part[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    if (part instanceof Uint8Array) whole.set(part, at);
    else part.writeTo(whole.subarray(at, at + part.length));
    at += part.length;
  }
  return whole;
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push((rest % 128) + (rest >= 128 ? 128 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Uint8Array.from(bytes);
}
