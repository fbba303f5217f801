import type { Compared, Report } from "../harness/compare.mjs";

/** A report that may be held against a later one. */
export interface Dated extends Report {
  date: string;
  commit?: string;
}
export interface RuntimeAgain {
  drift: number;
  /** The logarithm of a ratio. */
  noise: number;
  /** Peers and yardsticks that tell both. */
  others: number;
  counts: Record<string, number>;
  outside: Pick<Compared, "suite" | "job" | "contender" | "ratio" | "verdict">[];
}
export interface Rerun {
  date: string;
  commit?: string;
  minutesLater?: number;
  unlike?: string[];
  runtimes: Record<string, RuntimeAgain>;
}
export function rerunOf(report: Dated, later: Dated): Rerun;
export function rerunText(
  report: { commit?: string; runtimes?: Record<string, { version?: string }>; rerun?: Rerun },
  nameOf?: (version: string) => string,
): { head: string; items: string[] } | undefined;
