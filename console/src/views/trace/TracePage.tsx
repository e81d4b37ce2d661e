// One run of agents: its figures, what does not fit together in it, and three ways to look at it.
import { Tabs } from '../../components/Choice';
import { Failure, Waiting, Empty } from '../../components/States';
import { useLogPlace, useTrace } from '../../hooks/log';
import { go, withParameters, type Place } from '../../hooks/route';
import { useTitle } from '../../hooks/screen';
import { visible } from '../../model/visible';
import { EventDetail } from '../event/EventDetail';
import { Conversation } from './Conversation';
import { Findings } from './Findings';
import { GraphView } from './GraphView';
import { TraceFigures } from './TraceFigures';
import { WaterfallView } from './WaterfallView';

interface Props {
  kind: 'traces' | 'sessions';
  id: string;
  place: Place;
}

export function TracePage({ kind, id, place }: Props) {
  const word = kind === 'traces' ? 'Trace' : 'Session';
  useTitle(word);
  const { name, may } = useLogPlace();
  const view = place.parameters.get('view') ?? 'waterfall';
  const { data: trace, error, refresh } = useTrace(name, kind, id, view === 'conversation' && may.has('ReadContent'));
  const chosen = place.parameters.get('event_at') ?? undefined;
  const choose = (event: string | undefined): void =>
    go(withParameters(place, { event_at: event }), chosen !== undefined);
  const views = [
    { id: 'waterfall', label: 'Waterfall' },
    { id: 'graph', label: 'Graph' },
    ...(may.has('ReadContent') ? [{ id: 'conversation', label: 'Conversation' }] : []),
  ];
  return (
    <div class="page">
      <div class="head">
        <h1>{word}</h1>
        <span class="sub mono">{visible(id)}</span>
      </div>
      {error && <Failure error={error} retry={refresh} />}
      {!trace && !error && <Waiting what="the trace" />}
      {trace && trace.events.length === 0 && (
        <Empty icon="explore" title="Nothing is there">
          No event of this log names it.
        </Empty>
      )}
      {trace && trace.events.length > 0 && (
        <>
          <TraceFigures trace={trace} />
          <Findings trace={trace} choose={choose} />
          <div class={chosen === undefined ? 'split' : 'split open'}>
            <section class="card" aria-label={views.find((it) => it.id === view)?.label}>
              <Tabs
                label="Ways to look at it"
                options={views}
                value={view}
                choose={(next) => go(withParameters(place, { view: next === 'waterfall' ? '' : next }), true)}
              />
              {view === 'waterfall' && <WaterfallView trace={trace} place={place} chosen={chosen} choose={choose} />}
              {view === 'graph' && <GraphView trace={trace} />}
              {view === 'conversation' && <Conversation trace={trace} place={place} />}
            </section>
            {chosen !== undefined && (
              <aside class="detail" aria-label="The chosen event">
                <EventDetail id={chosen} key={chosen} close={() => choose(undefined)} />
              </aside>
            )}
          </div>
        </>
      )}
    </div>
  );
}
