// A table of a few columns, as it comes: no sorting, no end of rows.
import type { ComponentChildren } from 'preact';

export interface PlainColumn<T> {
  label: string;
  cell: (row: T) => ComponentChildren;
  isNumber?: boolean;
  isMono?: boolean;
}

interface Props<T> {
  label: string;
  rows: readonly T[];
  columns: readonly PlainColumn<T>[];
  keyOf: (row: T, at: number) => string | number;
  classOf?: (row: T) => string | undefined;
}

export function PlainTable<T>({ label, rows, columns, keyOf, classOf }: Props<T>) {
  const look = (column: PlainColumn<T>): string =>
    [column.isNumber === true && 'num', column.isMono === true && 'mono'].filter(Boolean).join(' ');
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      <table class="plain">
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.label} scope="col" class={column.isNumber === true ? 'num' : ''}>
                {column.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, at) => (
            <tr key={keyOf(row, at)} class={classOf?.(row)}>
              {columns.map((column) => (
                <td key={column.label} class={look(column)}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
