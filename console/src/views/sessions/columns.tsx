// Columns that every list of what was active has: sessions and agents alike.
import type { ActiveAgent, ActiveSession } from '../../api/types';
import type { SortedColumn } from '../../components/SortedTable';
import { count } from '../../model/number';
import { moment } from '../../model/time';

type Active = Pick<ActiveAgent & ActiveSession, 'events' | 'errors' | 'tokens' | 'first_seen' | 'last_seen'>;

function Errors({ value }: { value: number }) {
  return value > 0 ? <b class="bad-text">{count(value)}</b> : <span class="soft">0</span>;
}

export const eventColumns: SortedColumn<Active>[] = [
  { id: 'events', label: 'Events', isNumber: true, sortBy: (it) => it.events, cell: (it) => count(it.events) },
  {
    id: 'errors',
    label: 'Errors',
    isNumber: true,
    sortBy: (it) => it.errors,
    cell: (it) => <Errors value={it.errors} />,
  },
];

export const tokensColumn: SortedColumn<Active> = {
  id: 'tokens',
  label: 'Tokens',
  isNumber: true,
  hideSmall: true,
  sortBy: (it) => it.tokens,
  cell: (it) => count(it.tokens),
};

export const lastColumn: SortedColumn<Active> = {
  id: 'last',
  label: 'Last event (UTC)',
  isNumber: true,
  sortBy: (it) => it.last_seen,
  cell: (it) => <span class="mono">{moment(it.last_seen).slice(0, 19)}</span>,
};
