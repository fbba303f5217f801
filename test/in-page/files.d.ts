declare module "in-page:files" {
  /** Imports a test file, by its path in the repository. */
  export const FILES: Record<string, () => Promise<unknown>>;
}
