// The public log as evidence is made of it: entries, hashes of the tree, and the proofs that they give
// (RFC 6962; C2SP tlog-tiles). Nothing here is believed: whoever asks has the checker say what it is worth.
import type { FetchTile } from './consistency';
import { hexOf, nodeHash, tileOf, tilePath } from './tree';

export const ENTRY_BYTES = 104;
const TILE_WIDTH = 256;
const HASH_BYTES = 32;
const LENGTH_BYTES = 2;

/** A leaf of the tree (docs/internals/format.md, section 6). */
export interface Entry {
  index: number;
  bytes: Uint8Array;
  /** In hex. */
  stream: string;
  /** Its number in the stream, from 1. */
  sequence: number;
  /** Days since 1970, of the record time. */
  day: number;
}

export function entryOf(index: number, bytes: Uint8Array): Entry {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    index,
    bytes,
    stream: hexOf(bytes.subarray(16, 32)),
    sequence: Number(view.getBigUint64(32)),
    day: Math.floor(Number(view.getBigUint64(8)) / 86_400_000),
  };
}

/** The entries of a bundle: each behind its length. */
export function entriesOf(first: number, bytes: Uint8Array): Entry[] {
  const entries: Entry[] = [];
  for (let at = 0; at < bytes.length; at += LENGTH_BYTES + ENTRY_BYTES) {
    const length = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
    if (length !== ENTRY_BYTES || at + LENGTH_BYTES + length > bytes.length)
      throw new Error(`entry ${first + entries.length} of the public log has ${length} bytes`);
    entries.push(entryOf(first + entries.length, bytes.slice(at + LENGTH_BYTES, at + LENGTH_BYTES + length)));
  }
  return entries;
}

/** The tree of a size. Every file and every hash is fetched and computed once. */
export class PublicLog {
  readonly size: number;
  readonly #fetch: FetchTile;
  readonly #files = new Map<string, Promise<Uint8Array>>();
  readonly #bundles = new Map<number, Promise<Entry[]>>();
  readonly #hashes = new Map<string, Promise<Uint8Array>>();

  constructor(size: number, fetch: FetchTile) {
    this.size = size;
    this.#fetch = fetch;
  }

  /** The entries that lie in one bundle with an index. */
  bundleWith(index: number): Promise<Entry[]> {
    const tile = Math.floor(index / TILE_WIDTH);
    const known = this.#bundles.get(tile);
    if (known) return known;
    const width = Math.min(TILE_WIDTH, this.size - tile * TILE_WIDTH);
    const path = `entries/${tilePath(tile)}${width === TILE_WIDTH ? '' : `.p/${width}`}`;
    const read = this.#fetch(path).then((bytes) => entriesOf(tile * TILE_WIDTH, bytes));
    this.#bundles.set(tile, read);
    return read;
  }

  async entry(index: number): Promise<Entry> {
    const entry = (await this.bundleWith(index))[index % TILE_WIDTH];
    if (!entry) throw new Error(`the public log has no entry ${index}`);
    return entry;
  }

  /** The hashes that lead from an entry to the root: the leaf's sibling first. */
  async pathOf(index: number): Promise<string[]> {
    const beside: [number, number][] = [];
    let [from, to] = [0, this.size];
    while (to - from > 1) {
      const middle = from + splitOf(to - from);
      beside.unshift(index < middle ? [middle, to] : [from, middle]);
      if (index < middle) to = middle;
      else from = middle;
    }
    return this.#all(beside);
  }

  /** The hashes beside the entries [first, last), from left to right. */
  async beside(first: number, last: number): Promise<string[]> {
    const parts: [number, number][] = [];
    const waiting: [number, number][] = [[0, this.size]];
    for (let part = waiting.pop(); part; part = waiting.pop()) {
      const [from, to] = part;
      if (to <= first || from >= last) parts.push(part);
      else if (from < first || to > last) {
        const middle = from + splitOf(to - from);
        waiting.push([middle, to], [from, middle]);
      }
    }
    return this.#all(parts);
  }

  async #all(parts: [number, number][]): Promise<string[]> {
    return (await Promise.all(parts.map(([from, to]) => this.#hash(from, to)))).map(hexOf);
  }

  /** The hash of the entries [from, to), which are a part of the tree. */
  #hash(from: number, to: number): Promise<Uint8Array> {
    const name = `${from}-${to}`;
    const known = this.#hashes.get(name);
    if (known) return known;
    const level = Math.log2(to - from);
    const isTiled = Number.isInteger(level) && level % 8 === 0;
    const hash = isTiled ? this.#tiled(level, from / (to - from)) : this.#joined(from, from + splitOf(to - from), to);
    this.#hashes.set(name, hash);
    return hash;
  }

  async #joined(from: number, middle: number, to: number): Promise<Uint8Array> {
    const [left, right] = await Promise.all([this.#hash(from, middle), this.#hash(middle, to)]);
    return nodeHash(left, right);
  }

  async #tiled(level: number, index: number): Promise<Uint8Array> {
    const { path, first } = tileOf({ level, index }, this.size);
    const file = this.#files.get(path) ?? this.#fetch(path);
    this.#files.set(path, file);
    const hash = (await file).slice(first * HASH_BYTES, (first + 1) * HASH_BYTES);
    if (hash.length !== HASH_BYTES) throw new Error(`tile ${path} of the public log is too short`);
    return hash;
  }
}

/** The largest power of two below a count. */
function splitOf(count: number): number {
  let split = 1;
  while (split * 2 < count) split *= 2;
  return split;
}
