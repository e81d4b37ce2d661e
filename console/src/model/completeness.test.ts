// A session of which a record is left out is not taken for whole, wherever in it the record stood, and a
// public log that lies is found out; one that is whole is told so.
/// <reference types="node" />
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { Evidence } from '../api/types';
import { BY_ITSELF, checkCompleteness, type Completeness, type Limits } from './completeness';
import type { FetchTile } from './consistency';
import { entriesOf, evidenceOf, filesOf } from './fixtures/log';
import { PublicLog } from './publicLog';

const file = readFileSync(new URL('../../../crates/report/src/bundle/checker.wasm.gz', import.meta.url));
const module = new WebAssembly.Module(gunzipSync(file));

interface Asked {
  shown: number[];
  asOf?: number;
  limits?: Limits;
  files?: FetchTile;
  evidence?: Evidence;
}

async function check(streams: string, { shown, asOf, limits, files, evidence }: Asked): Promise<Completeness> {
  const entries = entriesOf(streams);
  return checkCompleteness(
    module,
    new PublicLog(entries.length, files ?? filesOf(entries)),
    evidence ?? (await evidenceOf(entries)),
    '',
    { session: 's', shown, asOf: asOf ?? entries.length },
    limits ?? BY_ITSELF,
  );
}

test('a whole session is complete, in the middle and at the end of a log', async () => {
  expect(await check('xsysszx', { shown: [1, 3, 4] })).toEqual({
    state: 'complete',
    missing: [],
    faults: [],
    looked: 2,
  });
  expect((await check('xs', { shown: [1] })).state).toBe('complete');
  expect((await check('s', { shown: [0] })).state).toBe('complete');
});

test('a record that is left out is named, at the beginning, in the middle, at the end', async () => {
  for (const [shown, missing] of [
    [[3, 4], 1],
    [[1, 4], 3],
    [[1, 3], 4],
  ] as const) {
    const found = await check('xsysszx', { shown: [...shown] });
    expect([found.state, found.missing]).toEqual(['missing', [missing]]);
  }
});

test('what was added after the answer is not missing in it', async () => {
  expect((await check('xsysszx', { shown: [1, 3], asOf: 4 })).state).toBe('complete');
});

test('a session of several days is one of several streams', async () => {
  expect((await check('sxs|xsx|x', { shown: [0, 2, 4] })).state).toBe('complete');
  expect((await check('sxs|xsx|x', { shown: [0, 4] })).missing).toEqual([2]);
});

test('a day that ended is not looked beyond', async () => {
  const asked: string[] = [];
  const streams = `s|${'x'.repeat(2_000)}`;
  expect((await check(streams, { shown: [0], files: filesOf(entriesOf(streams), asked) })).looked).toBe(1);
  expect(asked.filter((path) => path.startsWith('entries/'))).toEqual(['entries/000']);
});

test('where it is not looked to the end, that is said and nothing else', async () => {
  const limits = { after: 100, between: 100 };
  const streams = `ss${'x'.repeat(400)}`;
  expect(await check(streams, { shown: [0, 1], limits })).toEqual({
    state: 'open',
    missing: [],
    faults: [],
    looked: 100,
  });
  expect((await check(streams, { shown: [1], limits })).state).toBe('missing');
  // A number is missing, and where it stands is too far away to be looked for.
  const far = `s${'x'.repeat(400)}s`;
  const found = await check(far, { shown: [401], limits });
  expect([found.state, found.faults.length]).toEqual(['fails', 1]);
});

test('proofs hold in trees of every size', async () => {
  for (const size of [2, 3, 7, 8, 255, 256, 257, 511, 513, 700]) {
    const streams = `${'x'.repeat(size - 1)}s`;
    expect([size, (await check(streams, { shown: [size - 1] })).state]).toEqual([size, 'complete']);
  }
});

test('a public log that says otherwise than its checkpoint does not hold', async () => {
  const entries = entriesOf('xsysszx');
  // The last record of the session, given to another one.
  const lying = entries.map((entry, at) => (at === 4 ? (entries[5] as Uint8Array) : entry));
  const evidence = await evidenceOf(entries);
  for (const files of [filesOf(lying), onlyEntries(lying, entries)]) {
    expect((await check('xsysszx', { shown: [1, 3], files, evidence })).state).toBe('fails');
  }
});

test('what follows is not believed either, where it is not looked to the end', async () => {
  const streams = `ss${'x'.repeat(100)}s${'x'.repeat(300)}`;
  const entries = entriesOf(streams);
  // The last record of the session, given to another one, in front of where looking ends.
  const lying = entries.map((entry, at) => (at === 102 ? (entries[101] as Uint8Array) : entry));
  const limits = { after: 200, between: 100 };
  const files = onlyEntries(lying, entries);
  expect((await check(streams, { shown: [0, 1], limits })).missing).toEqual([102]);
  expect((await check(streams, { shown: [0, 1], limits, files, evidence: await evidenceOf(entries) })).state).toBe(
    'fails',
  );
});

/** Entries of one log with the hashes of another one. */
const onlyEntries = (entries: Uint8Array[], hashes: Uint8Array[]): FetchTile => {
  const [one, other] = [filesOf(entries), filesOf(hashes)];
  return (path) => (path.startsWith('entries/') ? one(path) : other(path));
};
