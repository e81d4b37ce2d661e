// One run of agents: its figures, what does not fit together in it, and three ways to look at it.
import type { Trace } from '../../api/types';
import { Tabs } from '../../components/Choice';
import { Icon } from '../../components/Icon';
import { Failure, Waiting, Empty } from '../../components/States';
import { useLogPlace, useTrace } from '../../hooks/log';
import { paths } from '../../hooks/paths';
import { go, withParameters, type Place } from '../../hooks/route';
import { useTitle } from '../../hooks/screen';
import { visible } from '../../model/visible';
import { Beside, choose } from '../event/Beside';
import { Completeness } from './Completeness';
import { Conversation } from './Conversation';
import { Findings } from './Findings';
import { GraphView } from './GraphView';
import { TraceFigures } from './TraceFigures';
import { Evidence } from './Evidence';
import { Incident } from './Incident';
import { ReplayView } from './ReplayView';
import { WaterfallView } from './WaterfallView';

interface Props {
  kind: 'traces' | 'sessions';
  id: string;
  place: Place;
}

/** Ways to look at a trace that show what was said in it. */
const WITH_CONTENT = new Set(['conversation', 'replay']);

const viewsFor = (may: ReadonlySet<string>) => [
  { id: 'waterfall', label: 'Waterfall' },
  { id: 'graph', label: 'Graph' },
  ...(may.has('ReadContent') ? [{ id: 'conversation', label: 'Conversation' }] : []),
  { id: 'replay', label: 'Replay' },
  { id: 'incident', label: 'Incident report' },
  ...(may.has('ReadProofs') ? [{ id: 'evidence', label: 'Evidence' }] : []),
];

export function TracePage({ kind, id, place }: Props) {
  const word = kind === 'traces' ? 'Trace' : 'Session';
  useTitle(word);
  const { name, may } = useLogPlace();
  const view = place.parameters.get('view') ?? 'waterfall';
  const { data: trace, error, refresh } = useTrace(name, kind, id, WITH_CONTENT.has(view) && may.has('ReadContent'));
  return (
    <div class="page">
      <div class="head">
        <h1>{word}</h1>
        <span class="sub mono">{visible(id)}</span>
        <Actions id={id} place={place} />
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
          {kind === 'sessions' && may.has('ReadProofs') && <Completeness session={id} trace={trace} />}
          <TraceFigures trace={trace} />
          <Findings trace={trace} choose={(event) => choose(place, event)} />
          <Beside place={place}>
            <Views kind={kind} id={id} view={view} trace={trace} place={place} />
          </Beside>
        </>
      )}
    </div>
  );
}

/** What can be done with a trace, from wherever on its page one is. */
function Actions({ id, place }: { id: string; place: Place }) {
  const { name, may } = useLogPlace();
  const to = (view: string): string => withParameters(place, { view });
  return (
    <div class="push line">
      <a class="button" href={paths.compare(name, id)}>
        Compare
      </a>
      <a class="button" href={to('incident')}>
        <Icon name="reports" />
        Incident report
      </a>
      {may.has('ReadProofs') && (
        <a class="button" href={to('evidence')}>
          <Icon name="integrity" />
          Evidence bundle
        </a>
      )}
    </div>
  );
}

function Views({ kind, id, view, trace, place }: Props & { view: string; trace: Trace }) {
  const { may } = useLogPlace();
  const views = viewsFor(may);
  return (
    <section class="card" aria-label={views.find((it) => it.id === view)?.label}>
      <Tabs
        label="Ways to look at it"
        options={views}
        value={view}
        choose={(next) => go(withParameters(place, { view: next === 'waterfall' ? '' : next }), true)}
      />
      {view === 'waterfall' && <WaterfallView trace={trace} place={place} />}
      {view === 'graph' && <GraphView trace={trace} />}
      {view === 'conversation' && <Conversation trace={trace} place={place} />}
      {view === 'replay' && <ReplayView trace={trace} place={place} />}
      {view === 'incident' && <Incident id={id} place={place} />}
      {view === 'evidence' && <Evidence kind={kind} id={id} />}
    </section>
  );
}
