export const MODEL_PATH: string;
export function modelDirectory(name?: string): string | undefined;
