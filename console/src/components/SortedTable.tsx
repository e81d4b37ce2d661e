// A table whose columns sort it. For what fits on a page: some hundred rows.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';

export interface SortedColumn<T> {
  id: string;
  label: string;
  cell: (row: T) => ComponentChildren;
  sortBy: (row: T) => number | string;
  isNumber?: boolean;
  hideSmall?: boolean;
}

interface Props<T> {
  label: string;
  rows: readonly T[];
  columns: readonly SortedColumn<T>[];
  keyOf: (row: T) => string;
  first: string;
}

export function SortedTable<T>({ label, rows, columns, keyOf, first }: Props<T>) {
  const [by, setBy] = useState({ id: first, isDown: true });
  const column = columns.find((it) => it.id === by.id) ?? columns[0];
  const sorted =
    column === undefined
      ? [...rows]
      : rows.toSorted((one, other) => order(column.sortBy(one), column.sortBy(other)) * (by.isDown ? -1 : 1));
  const classOf = (it: SortedColumn<T>): string =>
    `${it.isNumber === true ? 'num' : ''} ${it.hideSmall === true ? 'hide-small' : ''}`.trim();
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      <table class="plain">
        <thead>
          <tr>
            {columns.map((it) => (
              <th
                key={it.id}
                class={classOf(it)}
                aria-sort={it.id === by.id ? (by.isDown ? 'descending' : 'ascending') : 'none'}
              >
                <button
                  type="button"
                  class="sort"
                  onClick={() => setBy({ id: it.id, isDown: it.id === by.id ? !by.isDown : it.isNumber === true })}
                >
                  {it.label}
                  <span aria-hidden="true">{it.id === by.id ? (by.isDown ? ' ↓' : ' ↑') : ''}</span>
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map((it) => (
                <td key={it.id} class={classOf(it)}>
                  {it.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const order = (one: number | string, other: number | string): number => (one < other ? -1 : one > other ? 1 : 0);
