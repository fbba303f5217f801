export interface Problem {
  runtime: string;
  suite?: string;
  job?: string;
  contender?: string;
  message: string;
}
export function problemsOf(report: object): Problem[];
export function problemLine(problem: Problem): string;
