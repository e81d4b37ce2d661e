// Growth is accepted, and every other story about a log is not.
import { expect, test } from 'vitest';
import { checkGrowth, type FetchTile } from './consistency';
import { fold, hexOf, rootOf, subtrees, tilePath } from './tree';

const leaf = async (text: string): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(`\0${text}`)));
const leavesOf = (count: number, prefix = 'entry'): Promise<Uint8Array[]> =>
  Promise.all(Array.from({ length: count }, (_, at) => leaf(`${prefix}${at}`)));

// The root by its definition, not by subtrees: left is the largest power of two below the size.
async function plainRoot(leaves: Uint8Array[]): Promise<Uint8Array> {
  if (leaves.length === 1) return leaves[0] as Uint8Array;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return fold([await plainRoot(leaves.slice(0, split)), await plainRoot(leaves.slice(split))]);
}

// The tiles of a tree, as a server has them.
const tilesOf =
  (leaves: Uint8Array[]): FetchTile =>
  async (path) => {
    const found = /^(\d+)\/([x0-9/]+?)(?:\.p\/(\d+))?$/.exec(path);
    const [level, tile, width] = [
      Number(found?.[1]),
      Number(found?.[2]?.replace(/[x/]/g, '')),
      Number(found?.[3] ?? 256),
    ];
    const step = 256 ** level;
    const hash = (at: number) => fold(leaves.slice(at * step, (at + 1) * step));
    const hashes = await Promise.all(Array.from({ length: width }, (_, at) => hash(tile * 256 + at)));
    return new Uint8Array(hashes.flatMap((it) => [...it]));
  };
const head = async (leaves: Uint8Array[]) => ({ size: leaves.length, root: hexOf(await plainRoot(leaves)) });

test('roots from subtrees are those of the definition', async () => {
  const leaves = await leavesOf(33);
  for (let size = 1; size <= 33; size += 1) {
    const parts = await Promise.all(
      subtrees(0, size).map(async (it) => ({
        ...it,
        hash: await fold(leaves.slice(it.index * 2 ** it.level, (it.index + 1) * 2 ** it.level)),
      })),
    );
    expect(hexOf(await rootOf(parts))).toBe((await head(leaves.slice(0, size))).root);
  }
});

test('leaves and nodes are hashed as RFC 6962 has it', async () => {
  // The vectors of Certificate Transparency: the leaves, and the roots of their trees.
  const hex = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
  const bytes = hex.map((it) => Uint8Array.from(it.match(/../g) ?? [], (pair) => parseInt(pair, 16)));
  const leaves = await Promise.all(
    bytes.map(async (it) => new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array([0, ...it])))),
  );
  expect(hexOf(await fold(leaves.slice(0, 2)))).toBe(
    'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  );
  expect(hexOf(await fold(leaves))).toBe('5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328');
});

test('a log that only grew holds, across tiles and at their edges', async () => {
  const leaves = await leavesOf(520);
  const sizes = [1, 7, 256, 257, 520];
  for (const before of sizes) {
    for (const now of sizes.filter((size) => size >= before)) {
      const tree = leaves.slice(0, now);
      expect(await checkGrowth(await head(leaves.slice(0, before)), await head(tree), tilesOf(tree))).toEqual({
        holds: true,
      });
    }
  }
}, 30_000);

test('an entry that was altered, a tree that is older, and a second history are found', async () => {
  const leaves = await leavesOf(300);
  const kept = await head(leaves.slice(0, 130));
  const altered = [...leaves];
  altered[77] = await leaf('something else');
  expect(await checkGrowth(kept, await head(altered), tilesOf(altered))).toMatchObject({ holds: false });
  expect(await checkGrowth(kept, await head(leaves.slice(0, 100)), tilesOf(leaves))).toMatchObject({ holds: false });
  expect(await checkGrowth(kept, await head(altered.slice(0, 130)), tilesOf(altered))).toMatchObject({ holds: false });
});

test('tiles that are not those of the checkpoint are found', async () => {
  const leaves = await leavesOf(300);
  const others = await leavesOf(300, 'other');
  const found = await checkGrowth(await head(leaves.slice(0, 130)), await head(leaves), tilesOf(others));
  expect(found).toEqual({ holds: false, why: 'the public log does not give the root of its checkpoint' });
});

test('numbers of tiles are spelled as C2SP has them', () => {
  expect([0, 67, 999, 1_000, 1_234_067].map(tilePath)).toEqual(['000', '067', '999', 'x001/000', 'x001/x234/067']);
});
