// What a trace adds up to.
import type { Trace } from '../../api/types';
import { Stat } from '../../components/Card';
import { count, plural } from '../../model/number';
import { duration, moment } from '../../model/time';
import { oneLine } from '../../model/visible';

const NAMED = 3;
const few = (names: string[]): string =>
  [...names.slice(0, NAMED), ...(names.length > NAMED ? [`and ${names.length - NAMED} more`] : [])].join(', ');

export function TraceFigures({ trace: { totals } }: { trace: Trace }) {
  const cost = totals.costs.map((it) => oneLine(`${it.amount} ${it.currency ?? ''}`)).join(', ');
  return (
    <div class="cols">
      <Stat
        label="Events"
        value={count(totals.events)}
        note={`${plural(totals.agents.length, 'agent')}, ${plural(totals.tools.length, 'tool')}`}
      />
      <Stat
        label="Errors"
        value={count(totals.errors)}
        {...(totals.errors > 0 ? { tone: 'bad' as const } : {})}
        note={few(totals.tools.filter((it) => it.errors > 0).map((it) => oneLine(it.name)))}
      />
      <Stat
        label="Took"
        value={totals.duration_ms === null ? '—' : duration(totals.duration_ms)}
        note={totals.started_at ? `from ${moment(totals.started_at)} UTC` : ''}
      />
      <Stat label="Tokens" value={count(totals.tokens?.total ?? 0)} note={cost === '' ? 'no cost told' : cost} />
    </div>
  );
}
