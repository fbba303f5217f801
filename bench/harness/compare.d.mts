import type { SuiteResult } from "./measure.mjs";

export interface Report {
  results: (Pick<SuiteResult, "suite" | "jobs"> & { runtime: string })[];
}
export interface Comparison {
  runtime: string;
  suite: string;
  job: string;
  contender: string;
  unit: string;
  before: number | undefined;
  after: number | undefined;
  ratio?: number;
  verdict: "faster" | "slower" | "within noise" | "new" | "gone";
}
export function compareReports(older: Report, newer: Report): Comparison[];
export function tally(rows: readonly Comparison[]): Record<string, number>;
