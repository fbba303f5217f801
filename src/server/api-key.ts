/** Tells which of the keys that are allowed a request bears, by its place; undefined for none of them, -1 where none is needed. */
export type KeyCheck = (authorization: string | null) => Promise<number | undefined>;

/**
 * Checks bearer tokens. Digests are compared, all of all keys, so that the time says nothing of how much of a key was right,
 * nor of its length.
 *
 * @param keys those that are allowed; none for no check
 */
export async function createKeyCheck(keys: readonly string[]): Promise<KeyCheck> {
  if (keys.length === 0) return async () => -1;
  const allowed = await Promise.all(keys.map(digest));
  return async (authorization) => {
    const token = authorization?.match(/^Bearer\s+(.+)$/i)?.[1] ?? "";
    const given = await digest(token);
    let matched: number | undefined;
    for (const [place, key] of allowed.entries()) {
      let difference = 0;
      for (let i = 0; i < key.length; i++) difference |= key[i]! ^ given[i]!;
      if (difference === 0) matched = place;
    }
    return token === "" ? undefined : matched;
  };
}

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}
