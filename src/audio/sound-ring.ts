import type { Core } from "../core/core.ts";
import type { MonoReader } from "./resample.ts";
export interface SoundRing {
  filled: number;
  fill(n: number): Promise<void>;
  window(start: number, count: number, view: Float32Array): void;
  close(): void;
}
export async function createSoundRing(
  _core: Core,
  source: { reader: MonoReader },
  _o: object,
): Promise<SoundRing> {
  const { reader } = source;
  return {
    filled: reader.length,
    async fill() {},
    window: (s, n, v) => void reader.read(v, s, n),
    close() {},
  };
}
