import { describe, expect, it } from "vitest";
import { label } from "../../src/cli/models.ts";
import { createProgressMeter, type DownloadProgress } from "../../src/models/download-progress.ts";
import { retryAfter } from "../../src/models/hub-requests.ts";

describe("the progress meter", () => {
  it("adds up files, measures the rate of what comes now, and tells the time left", () => {
    let time = 0;
    const told: DownloadProgress[] = [];
    const meter = createProgressMeter(
      10_000,
      (progress) => told.push(progress),
      () => time,
    );
    meter.advance("a", 1000); // was here already: no measure of the network
    expect(told.at(-1)).toEqual({
      file: "a",
      bytes: 1000,
      totalBytes: 10_000,
      fileBytes: 1000,
      bytesPerSecond: undefined,
      secondsLeft: undefined,
    });
    for (let i = 1; i <= 10; i++) {
      time += 100;
      meter.advance("b", 200 * i, 200);
    }
    expect(told.at(-1)).toMatchObject({
      file: "b",
      bytes: 3000,
      fileBytes: 2000,
      bytesPerSecond: 2000,
      secondsLeft: 3.5,
    });
    // A later rate counts, not the mean since the beginning: 100 bytes a second for six seconds.
    for (let i = 1; i <= 60; i++) {
      time += 100;
      meter.advance("b", 2000 + 10 * i, 10);
    }
    expect(told.at(-1)!.bytesPerSecond).toBeCloseTo(100, 6);
    expect(told.at(-1)!.secondsLeft).toBeCloseTo(64, 6);
    meter.advance("c", 6400, 6400);
    meter.report();
    expect(told.at(-1)).toMatchObject({ bytes: 10_000, secondsLeft: 0 });
  });

  it("reports ten times a second, however often something comes", () => {
    let time = 0;
    let reports = 0;
    const meter = createProgressMeter(
      1e6,
      () => reports++,
      () => time,
    );
    for (let i = 0; i < 1000; i++) {
      time += 1;
      meter.advance("a", i, 1);
    }
    expect(reports).toBe(10);
  });

  it("follows a file that is begun anew", () => {
    const told: DownloadProgress[] = [];
    const meter = createProgressMeter(
      100,
      (progress) => told.push(progress),
      () => 1e3 * told.length,
    );
    meter.advance("a", 90, 90);
    meter.advance("a", 10, 10);
    expect(told.map(({ bytes }) => bytes)).toEqual([90, 10]);
  });
});

it.each([
  [{ bytes: 12_345_678, totalBytes: 41_200_000 }, "downloading tiny: 12.3 of 41.2 MB"],
  [
    { bytes: 12_345_678, totalBytes: 41_200_000, bytesPerSecond: 5.1e6, secondsLeft: 61.2 },
    "downloading tiny: 12.3 of 41.2 MB, 5.1 MB/s, 1:02 left",
  ],
  [
    { bytes: 1e6, totalBytes: 3e9, bytesPerSecond: 1e5, secondsLeft: 29_990 },
    "downloading tiny: 1.0 of 3000.0 MB, 0.1 MB/s, 8:19:50 left",
  ],
])("the progress line of %j", (progress, line) => {
  const all = { file: "x", fileBytes: 0, bytesPerSecond: undefined, secondsLeft: undefined, ...progress };
  expect(label("tiny", all)).toBe(line);
});

it.each([
  [null, undefined],
  ["0", 0],
  ["120", 120_000],
  ["Wed, 21 Oct 2026 07:28:10 GMT", 10_000],
  ["Wed, 21 Oct 2026 07:00:00 GMT", 0],
  ["soon", undefined],
])("Retry-After %j is %j ms", (header, expected) => {
  expect(retryAfter(header, Date.parse("Wed, 21 Oct 2026 07:28:00 GMT"))).toBe(expected);
});
