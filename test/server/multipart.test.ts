import { describe, expect, it } from "vitest";
import { boundaryOf, createMultipartParser, MultipartError } from "../../src/server/multipart.ts";
import { randomNumbers } from "../reference/sound-streams.ts";

interface Part {
  name: string;
  fileName: string | undefined;
  bytes: Uint8Array;
}

/** Parses a form that comes in pieces of random sizes. */
function parse(form: Uint8Array, boundary: string, pieces: () => number, maxParts = 10): Part[] {
  const parts: (Part & { all: number[] })[] = [];
  const parser = createMultipartParser(
    boundary,
    (head) => {
      const part = { ...head, bytes: new Uint8Array(), all: [] as number[] };
      parts.push(part);
      return (bytes) => void part.all.push(...bytes);
    },
    maxParts,
  );
  for (let at = 0; at < form.length; ) {
    const count = Math.max(1, pieces());
    parser.write(form.subarray(at, at + count));
    at += count;
  }
  parser.end();
  return parts.map(({ all, ...part }) => ({ ...part, bytes: Uint8Array.from(all) }));
}

const encode = (text: string) => new TextEncoder().encode(text);
const FORM = encode(
  'before\r\n--b\r\nContent-Disposition: form-data; name="a"\r\n\r\none\r\n--b  \r\ncontent-type: x\r\ncontent-disposition: form-data; name=f; filename="q\\"x.wav"\r\n\r\n\r\n--c\r\n-\r\n--b\r\ncontent-disposition: form-data; name=""\r\n\r\n\r\n--b--\r\nafter',
);

describe("the form parser", () => {
  it("gives what the runtime's own parser does, in pieces of any size", async () => {
    const random = randomNumbers(1);
    for (let round = 0; round < 60; round++) {
      const form = new FormData();
      const count = 1 + Math.floor(random() * 4);
      for (let i = 0; i < count; i++) {
        // Line breaks, dashes and zeros, so that much looks like the beginning of a boundary.
        const size = Math.floor(random() * 400);
        const bytes = Uint8Array.from({ length: size }, () => [13, 10, 45, 0, 98][Math.floor(random() * 5)]!);
        form.append(`part ${i}`, new Blob([bytes]), `file ${i}`);
      }
      const response = new Response(form);
      const type = response.headers.get("content-type")!;
      const body = new Uint8Array(await response.arrayBuffer());
      const most = 1 + Math.floor(random() * 80);
      const parts = parse(body, boundaryOf(type)!, () => Math.floor(random() * most));
      const expected = await Promise.all(
        [...(await new Response(body, { headers: { "content-type": type } }).formData())].map(
          async ([name, value]) => ({
            name,
            fileName: (value as File).name,
            bytes: new Uint8Array(await (value as File).arrayBuffer()),
          }),
        ),
      );
      expect(parts, `seed 1, round ${round}`).toEqual(expected);
    }
  });

  it("takes a preamble, padding, an epilogue, an empty part and a quoted name", () => {
    for (const size of [1, 2, 7, 1000]) {
      expect(parse(FORM, "b", () => size)).toEqual([
        { name: "a", fileName: undefined, bytes: encode("one") },
        { name: "f", fileName: 'q"x.wav', bytes: encode("\r\n--c\r\n-") },
        { name: "", fileName: undefined, bytes: encode("") },
      ]);
    }
  });

  it("takes for the name what is the name, not what a file's name says", () => {
    const head = 'content-disposition: form-data; filename="x; name=evil.wav"; NAME="file"';
    expect(parse(encode(`--b\r\n${head}\r\n\r\nsound\r\n--b--\r\n`), "b", () => 100)).toEqual([
      { name: "file", fileName: "x; name=evil.wav", bytes: encode("sound") },
    ]);
  });

  it("refuses a form that is cut off anywhere", () => {
    const end = FORM.length - "--\r\nafter".length;
    for (let cut = 0; cut < end; cut++) {
      expect(() => parse(FORM.subarray(0, cut), "b", () => 16), `cut at ${cut}`).toThrow(MultipartError);
    }
  });

  it("refuses a part without a name, a head without end, and too many parts", () => {
    const form = (text: string) => () => parse(encode(text), "b", () => 100, 2);
    expect(form("--b\r\ncontent-type: x\r\n\r\na\r\n--b--")).toThrow(/no name/);
    expect(form(`--b\r\n${"x".repeat(9000)}`)).toThrow(/over 8 KiB/);
    expect(form(`--b${" ".repeat(300)}\r\n`)).toThrow(/behind a boundary/);
    const part = '--b\r\ncontent-disposition: form-data; name="a"\r\n\r\na\r\n';
    expect(form(`${part.repeat(3)}--b--`)).toThrow(/more than 2 parts/);
  });

  it("finds the boundary of a content type", () => {
    expect(boundaryOf("multipart/form-data; boundary=abc")).toBe("abc");
    expect(boundaryOf('Multipart/Form-Data; charset=x; boundary="a b"; x=y')).toBe("a b");
    for (const none of [
      undefined,
      "application/json",
      "multipart/form-data",
      "multipart/mixed; boundary=a",
    ]) {
      expect(boundaryOf(none)).toBeUndefined();
    }
    expect(boundaryOf(`multipart/form-data; boundary=${"a".repeat(71)}`)).toBeUndefined();
  });
});
