import { readFile, writeFile } from "node:fs/promises";
import { SAMPLE } from "./sample.ts";

/** Arguments with which Chromium has a microphone that plays a WAV file once. */
export const fakeMicrophone = (path: string): readonly string[] => [
  "--use-fake-ui-for-media-stream",
  "--use-fake-device-for-media-stream",
  `--use-file-for-fake-audio-capture=${path}%noloop`,
  "--autoplay-policy=no-user-gesture-required",
];

/** Writes the sample with so many seconds of silence before and after it, as such a microphone takes it. */
export async function writeSpokenSample(path: string, before: number, after: number): Promise<void> {
  const wav = await readFile(SAMPLE);
  const rate = wav.readUInt32LE(24);
  const silence = (seconds: number) => Buffer.alloc(2 * Math.round(seconds * rate));
  const data = Buffer.concat([silence(before), wav.subarray(44), silence(after)]);
  const head = Buffer.from(wav.subarray(0, 44));
  head.writeUInt32LE(36 + data.length, 4);
  head.writeUInt32LE(data.length, 40);
  await writeFile(path, Buffer.concat([head, data]));
}
