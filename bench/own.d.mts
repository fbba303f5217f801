export interface BenchReport {
  format: number;
  results: never[];
  problems: { message: string }[];
}
/** A thread that answers what it is asked. */
export interface BenchThread {
  ask(request: unknown): Promise<unknown>;
  end(): Promise<void>;
}
/** See speechOf in harness/speech.mjs. */
export interface BenchSpeech {
  /** Bytes of the sample. */
  sound: Uint8Array;
  text: string;
  model: string;
  /** Why one is lacking, else true. */
  providers: Record<"wasm" | "native", true | string>;
}
export { chosen, parseReport } from "./harness/request.mjs";
export const OWN_SUITES: readonly string[];
export function measureOwn(
  wavepool: object,
  options: {
    suites: readonly string[];
    effort: "full" | "quick";
    runtime: string;
    version: string;
    machine: { processor: string; cores: number; platform: string; memoryGiB: number; load: number };
    speech(): Promise<BenchSpeech>;
    startThread(data: unknown): Promise<BenchThread>;
    print: (line: string) => void;
  },
): Promise<BenchReport>;
export function comparison(older: BenchReport, newer: BenchReport): string[];
