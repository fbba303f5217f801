export interface BenchReport {
  format: number;
  problems: { message: string }[];
}
export const OWN_SUITES: readonly string[];
export function measureOwn(
  wavepool: object,
  options: {
    suites: readonly string[];
    effort: "full" | "quick";
    runtime: string;
    cores: number;
    print: (line: string) => void;
  },
): Promise<BenchReport>;
export function comparison(older: BenchReport, newer: BenchReport): string[];
