import { describe, expect, it } from "vitest";
import { freshBlocks } from "../../src/server/engine/blocks.ts";
import { createGate } from "../../src/server/engine/gate.ts";
import { openUpload } from "../../src/server/engine/upload.ts";
import { ApiError } from "../../src/server/errors.ts";
import { type ReceiveLimits, receiveForm } from "../../src/server/receive.ts";
import { collectGarbage } from "../reference/garbage.ts";

const LIMITS: ReceiveLimits = {
  maxUploadBytes: 8_000_000,
  idleTimeout: 2000,
  uploadTimeout: 60_000,
  waitTimeout: 1000,
};
const HEAD = '--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n';
const END = "\r\n--b--\r\n";
const encode = (text: string) => new TextEncoder().encode(text);

/** Takes in a form that comes in these chunks. */
function receive(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>, limits = LIMITS) {
  const room = createGate(64, "room for the upload");
  const blocks = freshBlocks(16 * 2 ** 20);
  const { from } = ReadableStream as unknown as { from(chunks: unknown): ReadableStream<Uint8Array> };
  const body = from.call(ReadableStream, chunks);
  const request = new Request("http://localhost/", {
    method: "POST",
    headers: { "content-type": "multipart/form-data; boundary=b" },
    body,
    duplex: "half",
  } as RequestInit);
  const engine = {
    receive: (most: number, wait: { timeout: number }) => openUpload(room, blocks, most, wait),
  };
  return { room, received: receiveForm(request, engine as never, limits, new AbortController().signal) };
}

async function refusal(received: Promise<unknown>): Promise<ApiError> {
  const error = await received.then(
    () => undefined,
    (caught) => caught,
  );
  expect(error).toBeInstanceOf(ApiError);
  return error;
}

describe("a form on its way in", () => {
  it("keeps nothing of its chunks but the file, however small they are", async () => {
    const chunk = new Uint8Array(16).fill(7);
    const count = 250_000;
    const held = async () => {
      let turns = 0;
      await collectGarbage(() => turns++ > 0);
      return process.memoryUsage().heapUsed;
    };
    const before = await held();
    let most = 0;
    async function* form() {
      yield encode(HEAD);
      for (let i = 0; i < count; i++) {
        if (i % 50_000 === 49_999) most = Math.max(most, (await held()) - before);
        yield chunk.slice();
      }
      yield encode(END);
    }
    const { received, room } = receive(form());
    const { file } = await received;
    expect(file!.size).toBe(16 * count);
    // Raced with one promise for all, it was 34 bytes for each byte of the file: 130 MB.
    expect(most).toBeLessThan(12_000_000);
    file!.release();
    expect(room.used).toBe(0);
  });

  it.each([
    ["before the parts", [...Array(100).fill(new Uint8Array(100_000)), encode(HEAD)]],
    ["behind them", [encode(`${HEAD}abc${END}`), ...Array(100).fill(new Uint8Array(100_000))]],
    ["in the file", [encode(HEAD), ...Array(100).fill(new Uint8Array(100_000))]],
  ])("is refused when there is too much %s", async (_, chunks) => {
    const { received, room } = receive(chunks);
    expect(await refusal(received)).toMatchObject({ status: 413, code: "file_too_large" });
    expect(room.used).toBe(0);
  });

  it("is refused when it only trickles", async () => {
    async function* form() {
      yield encode(HEAD);
      while (true) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        yield new Uint8Array(1);
      }
    }
    const { received, room } = receive(form(), { ...LIMITS, idleTimeout: 200 });
    expect(await refusal(received)).toMatchObject({ status: 408, code: "upload_timeout" });
    expect(room.used).toBe(0);
  });
});
