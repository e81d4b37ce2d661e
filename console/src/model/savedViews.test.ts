// A search that is kept is a search and nothing else.
import { expect, test } from 'vitest';
import { queryOf, viewsFrom, withView, type SavedView } from './savedViews';

test('of an address the search is kept, and neither the chosen event nor content', () => {
  expect(queryOf(new URLSearchParams('agent=A&content=1&event_at=8&own=1&part=sql&from=24h'))).toBe(
    'agent=A&from=24h&own=1',
  );
});

test('views survive being kept', () => {
  const views = withView(withView([], 'late', 'outcome=timeout'), 'mine', 'agent=A');
  expect(viewsFrom(JSON.stringify(views))).toEqual(views);
});

test('a name that is there is replaced, and none is refused', () => {
  expect(withView([{ name: 'a', query: 'agent=A' }], ' a ', 'agent=B')).toEqual([{ name: 'a', query: 'agent=B' }]);
  expect(withView([], '  ', 'agent=B')).toEqual([]);
  expect(
    Array.from({ length: 60 }, (_, at) => `v${at}`).reduce<SavedView[]>((all, name) => withView(all, name, ''), []),
  ).toHaveLength(50);
});

test('what is no view is not taken for one', () => {
  for (const kept of [null, '{', '7', '[1]', '[{"name":"x","query":"event_at=9"}]', '[{"name":"x"}]']) {
    expect(viewsFrom(kept)).toEqual([]);
  }
});
