export function numbersAsDigits(text: string): string;
export function splitWords(text: string): string[];
