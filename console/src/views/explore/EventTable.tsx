// Rows of events, of any number, in the order in which they come. A row is a link to its event.
import type { EventRecord } from '../../api/types';
import { Tag } from '../../components/Tag';
import { VirtualList } from '../../components/VirtualList';
import { withParameters, type Place } from '../../hooks/route';
import { useSmallScreen } from '../../hooks/screen';
import { agentOf, ending, happened, summary, tone } from '../../model/record';
import { moment } from '../../model/time';
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
}

export function EventTable({ label, events, chosen, place, nearEnd, height }: Props) {
  const rowHeight = useSmallScreen() ? TALL_ROW_PX : ROW_PX;
  return (
    <>
      <div class="row row-head event-row wide-time" aria-hidden="true">
        <span class="right c-index">Index</span>
        <span>Time (UTC)</span>
        <span>Agent</span>
        <span>Type</span>
        <span>Outcome</span>
        <span>What</span>
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
          const href = withParameters(place, { event_at: String(record.index) });
          return (
            <EventRow
              key={record.index}
              record={record}
              href={href}
              style={style}
              isChosen={chosen === String(record.index)}
            />
          );
        }}
      />
    </>
  );
}

interface RowProps {
  record: EventRecord;
  href: string;
  style: { top: string; height: string };
  isChosen: boolean;
}

export function EventRow({ record, href, style, isChosen }: RowProps) {
  const end = ending(record);
  const look = tone(record);
  return (
    <a
      class={`row event-row wide-time ${look === 'good' || look === 'plain' ? '' : look}`}
      style={style}
      href={href}
      aria-current={isChosen ? 'true' : undefined}
    >
      <span class="c-index mono right soft">{record.index}</span>
      <span class="c-time mono">{moment(happened(record))}</span>
      <span class="c-agent clip">{oneLine(agentOf(record))}</span>
      <span class="c-type clip">{oneLine(record.event_type ?? record.state)}</span>
      <span class="c-end">{end !== '' && <Tag tone={look === 'good' ? 'plain' : look}>{end}</Tag>}</span>
      <span class="c-what clip soft">{summary(record)}</span>
    </a>
  );
}
