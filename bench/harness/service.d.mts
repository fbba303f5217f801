import type { SuiteResult } from "./measure.mjs";

export interface ServiceContender {
  name: string;
  leaks: unknown[];
  rows: { clients: number; each: { latencies: number[]; ends: number[][] } }[];
}
export function serviceResult(contenders: ServiceContender[]): SuiteResult;
