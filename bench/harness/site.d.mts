export function siteFolders(): Record<string, string>;
export function serveSite(served?: Record<string, string>): Promise<{ url: string; close(): void }>;
