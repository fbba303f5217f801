export function reportPage(report: object): string;
