// The overview: what the agents are doing now and did lately, and whether the log is in order. Figures
// are the reports'; they are asked for without content, so that a page that is left open writes nothing.
import { codeOf } from '../../api/problem';
import type { LogHealth } from '../../api/types';
import { Bars } from '../../components/Bars';
import { Card, Stat } from '../../components/Card';
import { Segments } from '../../components/Choice';
import { Empty, Failure, Waiting, Alert } from '../../components/States';
import { useLogPlace, useReport } from '../../hooks/log';
import { go, withParameters, type Place } from '../../hooks/route';
import { useSmallScreen, useTitle } from '../../hooks/screen';
import { compact, count, percent, plural } from '../../model/number';
import { columnsOf, type CostReport, type Summary } from '../../model/report';
import { RANGES } from '../../model/time';
import { oneLine } from '../../model/visible';
import { IntegrityCard } from './IntegrityCard';
import { Models, Outcomes, TopAgents, TopTools } from './Rankings';
import { RecentErrors } from './RecentErrors';

const REFRESH_MS = 30_000;

export function Overview({ place, health }: { place: Place; health: LogHealth }) {
  useTitle('Overview');
  const { name } = useLogPlace();
  const range = place.parameters.get('range') ?? '24h';
  const query = { from: range === 'all' ? undefined : range, content: 0 as const };
  const summary = useReport<Summary>(name, 'summary', query, REFRESH_MS);
  const cost = useReport<CostReport>(name, 'cost', query, REFRESH_MS);
  const { error } = summary;
  const isMissing = codeOf(error) === 'no_sql';
  const options = RANGES.map((it) => ({ id: it.from === '' ? 'all' : it.from, label: it.label }));
  return (
    <div class="page">
      <div class="head">
        <h1>Overview</h1>
        <span class="sub">{name}</span>
        <div class="push">
          <Segments
            label="Time range"
            options={options}
            value={range}
            choose={(id) => go(withParameters(place, { range: id === '24h' ? '' : id }), true)}
          />
        </div>
      </div>
      {isMissing && (
        <Alert tone="warn">
          This server was built without reports, so that there are no figures here. Live, Explore and Integrity work.
        </Alert>
      )}
      {error && !isMissing && <Failure error={error} retry={summary.refresh} />}
      {summary.isLoading && (
        <div class="card">
          <Waiting what="figures" />
        </div>
      )}
      {summary.data && <Figures summary={summary.data} cost={cost.data} />}
      <div class="cols">
        {summary.data && <Activity summary={summary.data} />}
        <IntegrityCard health={health} />
        {summary.data && <TopAgents summary={summary.data} />}
        {summary.data && <TopTools query={query} every={REFRESH_MS} />}
        {summary.data && <Models cost={cost.data} />}
        <RecentErrors range={query.from} every={REFRESH_MS} />
        {summary.data && <Outcomes summary={summary.data} />}
      </div>
    </div>
  );
}

function Figures({ summary, cost }: { summary: Summary; cost: CostReport | undefined }) {
  const money = cost?.total_cost.map((it) => oneLine(`${it.amount} ${it.currency ?? ''}`)).join(' + ');
  return (
    <div class="cols">
      <Stat
        label="Events"
        value={count(summary.total_events)}
        note={`${plural(summary.total_handoffs, 'hand-off')}, ${plural(summary.total_escalations, 'escalation')}`}
      />
      <Stat
        label="Errors"
        value={percent(summary.error_rate)}
        {...(summary.total_errors > 0 ? { tone: 'bad' as const } : {})}
        note={`${count(summary.total_errors)} of ${count(summary.total_events)} events`}
      />
      <Stat label="Active agents" value={count(summary.agents_active)} note="that have a name" />
      <Stat
        label="Tokens"
        value={cost ? compact(cost.total_tokens.total) : '—'}
        note={money === undefined || money === '' ? 'no cost told' : money}
      />
    </div>
  );
}

function Activity({ summary }: { summary: Summary }) {
  const columns = columnsOf(summary.activity);
  const isSmall = useSmallScreen();
  return (
    <Card title="Events over time" width="w8" aside={<span class="small soft">UTC; errors in red</span>}>
      {columns.length === 0 ? (
        <Empty icon="overview" title="Nothing happened">
          Choose a longer time, or send events.
        </Empty>
      ) : (
        <Bars
          columns={columns}
          width={isSmall ? 340 : 720}
          label={`${count(summary.total_events)} events, ${count(summary.total_errors)} errors, from ${columns[0]?.from ?? ''} to ${columns.at(-1)?.from ?? ''}`}
        />
      )}
    </Card>
  );
}
