export interface BenchReport {
  format: number;
  problems: { message: string }[];
}
/** A thread that answers what it is asked. */
export interface BenchThread {
  ask(request: unknown): Promise<unknown>;
  end(): Promise<void>;
}
export const OWN_SUITES: readonly string[];
export function measureOwn(
  wavepool: object,
  options: {
    suites: readonly string[];
    effort: "full" | "quick";
    runtime: string;
    cores: number;
    startThread(data: unknown): Promise<BenchThread>;
    print: (line: string) => void;
  },
): Promise<BenchReport>;
export function comparison(older: BenchReport, newer: BenchReport): string[];
