// A trace as people tell it: who said, thought and called what, one after the other.
import { useMemo } from 'preact/hooks';
import type { Trace } from '../../api/types';
import { Empty } from '../../components/States';
import { Tag } from '../../components/Tag';
import { Value } from '../../components/Value';
import { withParameters, type Place } from '../../hooks/route';
import { turnsOf, type Turn } from '../../model/conversation';
import { plural } from '../../model/number';
import { ending, happened, redacted, toolOf, tone } from '../../model/record';
import { clock } from '../../model/time';
import { oneLine } from '../../model/visible';

/** More turns than anybody reads on one page. */
const TURNS_MAX = 400;

export function Conversation({ trace, place }: { trace: Trace; place: Place }) {
  const turns = useMemo(() => turnsOf(trace.events), [trace]);
  if (turns.length === 0)
    return (
      <Empty icon="sessions" title="Nobody said anything">
        The events of this trace have no content that you may see.
      </Empty>
    );
  return (
    <div>
      {turns.slice(0, TURNS_MAX).map((turn) => (
        <TurnView key={turn.record.index} turn={turn} place={place} />
      ))}
      {turns.length > TURNS_MAX && (
        <Empty title={`${plural(turns.length - TURNS_MAX, 'turn')} more`}>Explore has all of them.</Empty>
      )}
    </div>
  );
}

function TurnView({ turn, place }: { turn: Turn; place: Place }) {
  const { record, speaker, kind, said } = turn;
  const rules = new Set(redacted(record).map((it) => it.rule));
  const look = tone(record);
  const tool = toolOf(record);
  return (
    <article class={`turn ${kind}`}>
      <div class="who">
        <b class="clip">{oneLine(speaker === '' ? 'unknown' : speaker)}</b>
        <a class="small mono" href={withParameters(place, { event_at: String(record.index) })}>
          {clock(happened(record))}
        </a>
        {tool !== undefined && <Tag tone="accent">{oneLine(tool)}</Tag>}
        {look !== 'good' && look !== 'plain' && <Tag tone={look}>{ending(record)}</Tag>}
      </div>
      <div class="what">
        {said.map((part) => (
          <div key={part.label}>
            <h3>{part.label}</h3>
            <Value value={part.value} rules={rules} />
          </div>
        ))}
      </div>
    </article>
  );
}
