// The tree of a log (RFC 6962) as far as consistency needs it: which subtrees two sizes share, where the
// public log has their hashes (C2SP tlog-tiles), and what they add up to.

/** A whole subtree: `index` counts those of its level. */
export interface Subtree {
  level: number;
  index: number;
}
export interface Hashed extends Subtree {
  hash: Uint8Array;
}

const TILE_HEIGHT = 8;
const TILE_WIDTH = 256;

/** The largest whole subtrees of the entries [from, to), from left to right. */
export function subtrees(from: number, to: number): Subtree[] {
  const found: Subtree[] = [];
  for (let at = from; at < to;) {
    let level = 0;
    while (at % 2 ** (level + 1) === 0 && at + 2 ** (level + 1) <= to) level += 1;
    found.push({ level, index: at / 2 ** level });
    at += 2 ** level;
  }
  return found;
}

export interface TilePlace {
  path: string;
  /** Where in the tile the subtree's hashes begin, and how many there are. */
  first: number;
  count: number;
}

/** Where the hashes are that a subtree is made of, in the public log of a size. */
export function tileOf({ level, index }: Subtree, size: number): TilePlace {
  const tileLevel = Math.floor(level / TILE_HEIGHT);
  const count = 2 ** (level % TILE_HEIGHT);
  const start = index * count;
  const tile = Math.floor(start / TILE_WIDTH);
  const hashes = Math.floor(size / 2 ** (TILE_HEIGHT * tileLevel));
  const width = Math.min(TILE_WIDTH, hashes - tile * TILE_WIDTH);
  const partial = width === TILE_WIDTH ? '' : `.p/${width}`;
  return { path: `${tileLevel}/${tilePath(tile)}${partial}`, first: start % TILE_WIDTH, count };
}

/** Groups of three digits, with `x` before all but the last. */
export function tilePath(tile: number): string {
  const groups: string[] = [];
  for (let rest = tile; ; rest = Math.floor(rest / 1_000)) {
    groups.unshift(String(rest % 1_000).padStart(3, '0'));
    if (rest < 1_000) break;
  }
  return groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join('/');
}

export async function nodeHash(left: Uint8Array, right: Uint8Array): Promise<Uint8Array> {
  const bytes = new Uint8Array(1 + left.length + right.length);
  bytes[0] = 1;
  bytes.set(left, 1);
  bytes.set(right, 1 + left.length);
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}

/** The root of a whole subtree from the hashes that it is made of; their number is a power of two. */
export async function fold(hashes: Uint8Array[]): Promise<Uint8Array> {
  let row = hashes;
  while (row.length > 1) {
    const pairs = Array.from({ length: row.length / 2 }, (_, at) => [row[2 * at], row[2 * at + 1]] as const);
    row = await Promise.all(
      pairs.map(([left, right]) => nodeHash(left ?? new Uint8Array(), right ?? new Uint8Array())),
    );
  }
  return row[0] ?? new Uint8Array();
}

/** The root of a tree from subtrees that cover it from its beginning, from left to right. */
export async function rootOf(parts: readonly Hashed[]): Promise<Uint8Array> {
  const stack: Hashed[] = [];
  for (const part of parts) {
    let next = part;
    for (
      let before = stack.at(-1);
      before && before.level === next.level && next.index % 2 === 1;
      before = stack.at(-1)
    ) {
      stack.pop();
      next = { level: next.level + 1, index: (next.index - 1) / 2, hash: await nodeHash(before.hash, next.hash) };
    }
    stack.push(next);
  }
  let root = stack.pop()?.hash ?? new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array()));
  for (let before = stack.pop(); before; before = stack.pop()) root = await nodeHash(before.hash, root);
  return root;
}

export const hexOf = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
