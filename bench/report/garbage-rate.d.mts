export function garbageRate(perItem: number | undefined): string;
