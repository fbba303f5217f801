import type { BenchReport } from "../own.mjs";

export function chosen(flag: string, text: string, all: readonly string[]): string[];
export function parseReport(text: string): BenchReport;
