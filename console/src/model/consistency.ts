// Does a tree contain an older one unchanged? Both roots are computed from the same hashes of the public
// log: if each is what its checkpoint says, the log only grew (RFC 6962, section 2.1.2).
import { fold, hexOf, rootOf, subtrees, tileOf, type Hashed, type Subtree } from './tree';

export interface Head {
  size: number;
  /** In hex. */
  root: string;
}

export type Growth = { holds: true } | { holds: false; why: string };
/** Fetches a tile of the public log by its C2SP path below `tile/`. */
export type FetchTile = (path: string) => Promise<Uint8Array>;

const HASH_BYTES = 32;

export async function checkGrowth(before: Head, now: Head, fetchTile: FetchTile): Promise<Growth> {
  if (now.size < before.size) return { holds: false, why: `the log has ${now.size} entries; it had ${before.size}` };
  if (now.size === before.size) {
    return now.root === before.root
      ? { holds: true }
      : { holds: false, why: `two different trees have ${now.size} entries` };
  }
  const tiles = new Map<string, Promise<Uint8Array>>();
  const hashed = async (subtree: Subtree): Promise<Hashed> => {
    const { path, first, count } = tileOf(subtree, now.size);
    const tile = tiles.get(path) ?? fetchTile(path);
    tiles.set(path, tile);
    const bytes = await tile;
    if (bytes.length < (first + count) * HASH_BYTES) throw new Error(`tile ${path} has ${bytes.length} bytes`);
    const hashes = Array.from({ length: count }, (_, at) =>
      bytes.slice((first + at) * HASH_BYTES, (first + at + 1) * HASH_BYTES),
    );
    return { ...subtree, hash: await fold(hashes) };
  };
  const old = await Promise.all(subtrees(0, before.size).map(hashed));
  const added = await Promise.all(subtrees(before.size, now.size).map(hashed));
  if (hexOf(await rootOf([...old, ...added])) !== now.root)
    return { holds: false, why: 'the public log does not give the root of its checkpoint' };
  if (hexOf(await rootOf(old)) !== before.root)
    return { holds: false, why: `the first ${before.size} entries are not those that this browser saw` };
  return { holds: true };
}
