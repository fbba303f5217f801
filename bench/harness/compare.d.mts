import type { SuiteResult } from "./measure.mjs";

export interface Report {
  effort?: string;
  machine?: { processor?: string; cores?: number };
  runtimes?: Record<string, { version?: string; core?: string | undefined }>;
  /** Versions of peers by name. */
  peers?: Record<string, string>;
  results: (Pick<SuiteResult, "suite" | "jobs"> & Partial<Pick<SuiteResult, "left">> & { runtime: string })[];
}
export interface Compared {
  runtime: string;
  suite: string;
  job: string;
  contender: string;
  kind: string;
  unit: string;
  before: number | undefined;
  after: number | undefined;
  ratio?: number;
  verdict: "faster" | "slower" | "within noise" | "reference" | "new" | "gone";
}
export interface Comparison {
  unlike: string[];
  machine: Record<string, { drift: number; noise: number; others: number }>;
  rows: Compared[];
}
export function compareReports(older: Report, newer: Report): Comparison;
export function tally(rows: readonly Compared[]): Record<string, number>;
