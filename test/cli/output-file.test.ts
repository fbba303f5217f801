import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { assertWritable, prepareFolder, writeWholeFile } from "../../src/cli/output-file.ts";
import { FileError } from "../../src/core/errors.ts";

let folder: string;
const at = (name: string) => join(folder, name);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "wavepool-out-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("writeWholeFile", () => {
  it("writes, and replaces what was there, leaving nothing else", async () => {
    await writeWholeFile(at("a.txt"), "long old text");
    await writeWholeFile(at("a.txt"), "grüß\n");
    expect(await readFile(at("a.txt"), "utf8")).toBe("grüß\n");
    expect(await readdir(folder)).toEqual(["a.txt"]);
  });

  it("writes to the file behind a link, which stays one", async () => {
    await writeFile(at("real.txt"), "old");
    await symlink("real.txt", at("link.txt"));
    await writeWholeFile(at("link.txt"), "new");
    expect(await readFile(at("real.txt"), "utf8")).toBe("new");
  });

  it("writes into a pipe without replacing it", async () => {
    await promisify(execFile)("mkfifo", [at("pipe")]);
    const [, text] = await Promise.all([writeWholeFile(at("pipe"), "through"), readFile(at("pipe"), "utf8")]);
    expect(text).toBe("through");
    await writeWholeFile("/dev/null", "nothing");
    expect(await readFile("/dev/null", "utf8")).toBe("");
  });

  it("names the file that cannot be written, not its draft", async () => {
    const path = at("no/a.txt");
    await expect(writeWholeFile(path, "x")).rejects.toThrow(FileError);
    await expect(writeWholeFile(path, "x")).rejects.toThrow(`cannot write ${path}: no such file or folder`);
    await mkdir(at("folder"));
    await expect(writeWholeFile(at("folder"), "x")).rejects.toThrow(/folder: it is a directory/);
    expect(await readdir(folder)).toEqual(["folder"]);
  });
});

describe("prepareFolder", () => {
  it("makes folders within folders and takes them when they are there", async () => {
    await prepareFolder(at("a/b"));
    await prepareFolder(at("a/b"));
    expect(await readdir(at("a"))).toEqual(["b"]);
  });

  it("refuses a file", async () => {
    await writeFile(at("file"), "");
    await expect(prepareFolder(at("file"))).rejects.toThrow(FileError);
    await expect(prepareFolder(at("file"))).rejects.toThrow(
      /cannot write into .*file: .*; give another folder/,
    );
  });
});

describe("assertWritable", () => {
  it("takes new and old files and devices, but no folders nor what lies in none", async () => {
    await writeFile(at("old"), "");
    for (const path of [at("new"), at("old"), "/dev/null"]) await assertWritable(path);
    await expect(assertWritable(folder)).rejects.toThrow(/it is a directory; give a file/);
    await expect(assertWritable(at("no/x"))).rejects.toThrow(FileError);
    await expect(assertWritable(at("no/x"))).rejects.toThrow(/no\/x: its folder is not there/);
  });
});
