/** A contender's turn, see measure.mjs. */
export interface Work {
  run(): unknown;
  result?(): unknown;
  time?(calls: number): number | Promise<number>;
  asynchronous?: boolean;
  elsewhere?: boolean;
  close?(): unknown;
}
export interface Contender {
  name: string;
  kind: "wavepool" | "peer" | "yardstick";
  other?: string;
  lacks?: string;
  check?(result: never): { difference: number; allowed: number; why?: string };
  prepare(): Work | Promise<Work>;
}
export interface Job {
  name: string;
  size?: number;
  count?: number;
  unit?: string;
  quick?: boolean;
  contenders: Contender[];
  check(result: never): { difference: number; allowed: number; why?: string };
}
export interface Suite<Context = object> {
  name: string;
  title: string;
  jobs(context: Context): Job[] | Promise<Job[]>;
}
export interface Entry {
  name: string;
  kind: string;
  failed?: string;
  lacks?: string;
  other?: string;
  p10?: number;
  median?: number;
  p90?: number;
  samples?: number[];
  collections?: number;
  checksum?: number;
  difference?: number;
  bytes?: number;
}
export interface SuiteResult {
  suite: string;
  title: string;
  jobs: { name: string; size?: number; unit: string; entries: Entry[] }[];
  left: string[];
}
export interface Effort {
  rounds: number;
  turnMs: number;
  warmUpMs: number;
  budgetMs: number;
  latencyMs: number;
  counts?: boolean;
}
export const EFFORTS: { full: Effort; quick: Effort; counts: Effort };
export function measureSuite(
  suite: Suite<never>,
  context: object,
  effort: Effort,
  onProgress?: (at: string) => unknown,
): Promise<SuiteResult>;
export function greatestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number;
