import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { OpenFile } from "../src/adapters/adapter.ts";
import { adapter } from "../src/adapters/node.ts";
import { openUrl } from "../src/adapters/open-file.browser.ts";
import { openSound } from "../src/audio/sound-source.ts";
import { createCore, FileError } from "../src/index.ts";
import { readAll } from "./reference/sound-streams.ts";

const M4A = fileURLToPath(new URL("fixtures/hello.m4a", import.meta.url));

/** Reads a file to its end by pieces of `most` bytes. */
async function readToEnd(file: OpenFile, most: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (;;) {
    const view = new Uint8Array(most);
    const count = await file.next(view);
    if (count === 0) return new Uint8Array(Buffer.concat(parts));
    parts.push(view.subarray(0, count));
  }
}

/** Both ways of reading leave each other alone. */
async function check(file: OpenFile): Promise<void> {
  const bytes = new Uint8Array(await readFile(M4A));
  try {
    expect(file.size).toBe(bytes.length);
    const start = new Uint8Array(100);
    const count = await file.next(start);
    expect(start.slice(0, count)).toEqual(bytes.slice(0, count));
    expect(await file.readAt!(5000, 300)).toEqual(bytes.slice(5000, 5300));
    expect(await file.readAt!(bytes.length - 10, 300)).toEqual(bytes.slice(-10));
    expect(await file.readAt!(bytes.length + 10, 300)).toHaveLength(0);
    expect(await readToEnd(file, 700)).toEqual(bytes.slice(count));
  } finally {
    await file.close();
    await file.close();
  }
}

describe("openFile of Node, Deno and Bun", () => {
  it("reads in order and anywhere", async () => check(await adapter.openFile(M4A)));

  it("reads a named pipe in order", async () => {
    const folder = await mkdtemp(join(tmpdir(), "pipe-"));
    try {
      const pipe = join(folder, "pipe");
      try {
        execFileSync("mkfifo", [pipe]);
      } catch {
        console.warn("SKIPPED: named pipes. There is no mkfifo.");
        return;
      }
      const { spawn } = await import("node:child_process");
      const writer = spawn("sh", ["-c", `cat "${M4A}" > "${pipe}"`]);
      const file = await adapter.openFile(pipe);
      expect(file.size).toBeUndefined();
      expect(file.readAt).toBeUndefined();
      expect(await readToEnd(file, 5000)).toEqual(new Uint8Array(await readFile(M4A)));
      await file.close();
      writer.kill();
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("openUrl of browsers", () => {
  let server: Server;
  let url = "";
  const ranges: string[] = [];
  beforeAll(async () => {
    const bytes = await readFile(M4A);
    server = createServer((request, response) => {
      const { range } = request.headers;
      if (request.url === "/none") response.writeHead(404).end();
      else if (request.url === "/plain") response.writeHead(200).end(bytes);
      else if (range) {
        ranges.push(range);
        const [from, to] = /(\d+)-(\d+)/.exec(range)!.slice(1).map(Number) as [number, number];
        const part = bytes.subarray(from, to + 1);
        response.writeHead(206, { "content-length": part.length }).end(part);
      } else response.writeHead(200, { "content-length": bytes.length, "accept-ranges": "bytes" }).end(bytes);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it("reads in order and, where the server allows it, anywhere", async () => {
    await check(await openUrl(`${url}/file`));
    expect(ranges).toContain("bytes=5000-5299");
  });

  it("reads in order only where the server tells no more", async () => {
    const file = await openUrl(`${url}/plain`);
    expect(file.readAt).toBeUndefined();
    expect(await readToEnd(file, 999)).toEqual(new Uint8Array(await readFile(M4A)));
    await file.close();
  });

  it("says what the server answers", async () => {
    await expect(openUrl(`${url}/none`)).rejects.toThrow(FileError);
    await expect(openUrl(`${url}/none`)).rejects.toThrow(/the server answers 404; check the URL/);
    await expect(openUrl("http://127.0.0.1:1/x")).rejects.toThrow(
      /cannot fetch .* check the URL and the network/,
    );
  });

  it("streams a response's body", async () => {
    const core = await createCore();
    const { body } = await fetch(`${url}/plain`);
    const sound = await readAll(await openSound(core, body!));
    expect(sound.length).toBeGreaterThan(22000);
  });
});
