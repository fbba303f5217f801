/** audio-type ships no types. */
declare module "audio-type" {
  /** Name of the format that the first bytes show, such as "flac", or undefined. */
  export default function audioType(bytes: Uint8Array): string | undefined;
}
