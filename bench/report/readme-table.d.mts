export function withTable(readme: string, report: object): string;
