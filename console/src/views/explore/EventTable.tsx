// Rows of events, of any number, in the order in which they come. A row is a link to its event.
import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import type { EventRecord } from '../../api/types';
import { Tag } from '../../components/Tag';
import { VirtualList } from '../../components/VirtualList';
import { withParameters, type Place } from '../../hooks/route';
import { useSmallScreen } from '../../hooks/screen';
import { COLUMNS, USUAL_COLUMNS, gridOf, narrowed, type Column } from '../../model/columns';
import { count } from '../../model/number';
import { agentOf, ending, happened, summary, tokensOf, tone, toolOf } from '../../model/record';
import { duration, moment } from '../../model/time';
import { oneLine } from '../../model/visible';

export const ROW_PX = 30;
export const TALL_ROW_PX = 54;

interface Props {
  label: string;
  events: EventRecord[];
  chosen: string | undefined;
  place: Place;
  nearEnd?: () => void;
  height: number | string;
  columns?: readonly Column[];
}

export function EventTable({ label, events, chosen, place, nearEnd, height, columns = USUAL_COLUMNS }: Props) {
  const isSmall = useSmallScreen();
  const rowHeight = isSmall ? TALL_ROW_PX : ROW_PX;
  const hrefOf = useMemo(() => eventAddresses(place), [place]);
  // A small screen has two lines for the usual columns; beside an open event there is room for a few.
  const shown = isSmall ? USUAL_COLUMNS : chosen === undefined ? columns : narrowed(columns);
  const grid = isSmall ? undefined : { gridTemplateColumns: gridOf(shown) };
  return (
    <>
      <div class="row row-head event-row wide-time" style={grid} aria-hidden="true">
        {shown.map((id) => {
          const column = COLUMNS.find((it) => it.id === id);
          return (
            <span key={id} class={column && 'isNumber' in column ? 'right clip' : 'clip'}>
              {column?.label}
            </span>
          );
        })}
      </div>
      <VirtualList
        label={label}
        count={events.length}
        rowHeight={rowHeight}
        height={height}
        {...(nearEnd ? { nearEnd } : {})}
        row={(at, style) => {
          const record = events[at];
          if (!record) return null;
          return (
            <EventRow
              key={record.index}
              record={record}
              href={hrefOf(record.index)}
              style={{ ...style, ...grid }}
              isChosen={chosen === String(record.index)}
              columns={shown}
            />
          );
        }}
      />
    </>
  );
}

/** The address of each event beside the page, made from what does not change from row to row. */
export function eventAddresses(place: Place): (index: number) => string {
  const base = withParameters(place, { event_at: undefined });
  const joint = base.includes('?') ? '&' : '?';
  return (index) => `${base}${joint}event_at=${index}`;
}

interface RowProps {
  record: EventRecord;
  href: string;
  style: { top: string; height: string; gridTemplateColumns?: string };
  isChosen: boolean;
  columns?: readonly Column[];
}

export function EventRow({ record, href, style, isChosen, columns = USUAL_COLUMNS }: RowProps) {
  const look = tone(record);
  return (
    <a
      class={`row event-row wide-time ${look === 'good' || look === 'plain' ? '' : look}`}
      style={style}
      href={href}
      aria-current={isChosen ? 'true' : undefined}
    >
      {columns.map((id) => CELLS[id](record))}
    </a>
  );
}

const clip = (name: string, text: string | undefined, look = '') => (
  <span key={name} class={`clip c-${name} ${look}`}>
    {text ? oneLine(text) : ''}
  </span>
);

const CELLS: Record<Column, (record: EventRecord) => ComponentChildren> = {
  index: (it) => (
    <span key="index" class="c-index mono right soft">
      {it.index}
    </span>
  ),
  time: (it) => (
    <span key="time" class="c-time mono">
      {moment(happened(it))}
    </span>
  ),
  agent: (it) => clip('agent', agentOf(it)),
  type: (it) => clip('type', it.event_type ?? it.state),
  outcome: (it) => {
    const [end, look] = [ending(it), tone(it)];
    return (
      <span key="end" class="c-end">
        {end !== '' && <Tag tone={look === 'good' ? 'plain' : look}>{end}</Tag>}
      </span>
    );
  },
  tool: (it) => clip('tool', toolOf(it)),
  error: (it) => clip('error', it.error_type),
  took: (it) => clip('took', duration(it.duration_ms), 'right'),
  tokens: (it) => clip('tokens', it.tokens ? count(tokensOf(it)) : '', 'right'),
  session: (it) => clip('session', it.session_id, 'mono'),
  trace: (it) => clip('trace', it.trace_id, 'mono'),
  principal: (it) => clip('principal', it.principal?.subject),
  tier: (it) => clip('tier', it.tier),
  what: (it) => clip('what', summary(it), 'soft'),
};
