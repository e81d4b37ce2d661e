// Evidence that holds is found to hold, by the very checker that pages load; and whatever of it changes,
// it no longer does.
/// <reference types="node" />
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { Evidence } from '../api/types';
import { bundleOf, memberText } from './bundle';
import { checkEvidence, differences, isAskedFor } from './check';

const file = (path: string): Buffer => readFileSync(new URL(path, import.meta.url));
const module = new WebAssembly.Module(gunzipSync(file('../../../crates/report/src/bundle/checker.wasm.gz')));
const evidence = JSON.parse(file('fixtures/evidence.json').toString()) as Evidence;
const key = evidence.vkeys[0] ?? '';
const altered = (change: (copy: Evidence & { record: Record<string, string> }) => void): Evidence => {
  const copy = structuredClone(evidence) as Evidence & { record: Record<string, string> };
  change(copy);
  return copy;
};
const otherDigit = (text: string, at: number): string =>
  `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;

test('evidence holds, and is verified only by the key that is expected', async () => {
  const open = await checkEvidence(module, evidence, '', evidence.index);
  expect([open.verdict, open.faults]).toEqual(['consistent', []]);
  expect((await checkEvidence(module, evidence, key, evidence.index)).verdict).toBe('verified');
  const another = otherDigit(key, key.length - 5);
  expect((await checkEvidence(module, evidence, another, evidence.index)).verdict).toBe('fails');
});

test('the example of the format holds', async () => {
  const example = JSON.parse(file('../../../testdata/vectors/example/event.evidence.json').toString()) as Evidence;
  const { verdict, faults } = await checkEvidence(module, example, example.vkeys[0] ?? '', example.index);
  expect([verdict, faults]).toEqual(['verified', []]);
});

test('whatever of the evidence changes, it does not hold', async () => {
  const { proof } = evidence;
  const signature = proof.lastIndexOf(' ') + 40;
  const lies: Evidence[] = [
    altered((it) => (it.entry = it.entry.replace(/.$/, (digit) => (digit === '0' ? '1' : '0')))),
    altered((it) => (it.record['meta'] = it.record['meta']?.replace('timeout', 'success') ?? '')),
    altered((it) => (it.record['content'] = it.record['content']?.replace('1042', '1043') ?? '')),
    altered((it) => (it.record['meta_salt'] = `0000${it.record['meta_salt']?.slice(4) ?? ''}`)),
    altered((it) => (it.proof = proof.replace(`index ${it.index}`, `index ${it.index + 1}`))),
    altered((it) => (it.proof = otherDigit(proof, proof.indexOf('\n', 30) + 9))),
    altered((it) => (it.proof = otherDigit(proof, signature))),
    altered((it) => (it.origin = `${it.origin}x`)),
    altered((it) => (it.vkeys = [otherDigit(key, key.length - 5)])),
  ];
  for (const [at, lie] of lies.entries()) {
    const { verdict } = await checkEvidence(module, lie, '', evidence.index);
    expect([at, ['fails', 'unreadable'].includes(verdict)]).toEqual([at, true]);
  }
});

test('evidence of another record is not taken for this one', async () => {
  expect((await checkEvidence(module, evidence, key, evidence.index + 1)).verdict).toBe('fails');
});

test('what is shown otherwise than it was sealed is named', async () => {
  const { checked } = await checkEvidence(module, evidence, key);
  const record = evidence.record as Record<string, string>;
  const shown = {
    ...(JSON.parse(record['meta'] ?? '') as object),
    content: JSON.parse(record['content'] ?? '') as unknown,
  } as Record<string, unknown>;
  if (!checked) throw new Error('it was not checked');
  shown['recorded_at'] = checked.records[0]?.recorded_at;
  expect(differences(shown, checked)).toEqual([]);
  expect(differences({ ...shown, outcome: 'success', content: {} }, checked)).toEqual(['outcome', 'content']);
});

test('what was never sealed counts as altered, and so does another time', async () => {
  const { checked } = await checkEvidence(module, evidence, key);
  const record = evidence.record as Record<string, string>;
  if (!checked) throw new Error('it was not checked');
  const shown = { ...(JSON.parse(record['meta'] ?? '') as object), recorded_at: checked.records[0]?.recorded_at };
  expect(differences({ ...shown, content: JSON.parse(record['content'] ?? '') as unknown }, checked)).toEqual([]);
  const lying = { ...shown, content: JSON.parse(record['content'] ?? '') as unknown, approver: 'Mallory' };
  expect(differences(lying, checked)).toEqual(['approver']);
  expect(differences({ ...lying, approver: undefined, recorded_at: '2020-01-01T00:00:00Z' }, checked)).toEqual([
    'recorded_at',
  ]);
});

test('an event is the one that was asked for by its id or its index', () => {
  expect(isAskedFor('8', { index: 8, event_id: 'e' })).toBe(true);
  expect(isAskedFor('e', { index: 8, event_id: 'e' })).toBe(true);
  expect(isAskedFor('8', { index: 7, event_id: 'e' })).toBe(false);
});

test('a bundle has the one spelling, also for what HTML would obey', () => {
  const bundle = bundleOf(altered((it) => (it.record['content'] = '{"input":"<b>&\u2028"}')));
  expect(bundle).toContain('\\u003cb\\u003e\\u0026\\u2028');
});

test('a member is cut out of a text as it stands there', () => {
  expect(memberText('{"a":{"counted":1},"s":"\\"counted\\":2","counted":{"7":1,"1":[2]},"z":0}', 'counted')).toBe(
    '{"7":1,"1":[2]}',
  );
  expect(memberText('{"counted":null}', 'counted')).toBe('null');
});
