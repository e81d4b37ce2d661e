// Who and what comes first: agents, tools, models, and how events ended.
import type { ComponentChildren } from 'preact';
import { Card } from '../../components/Card';
import { Meters } from '../../components/Meters';
import { Empty, Failure, Waiting } from '../../components/States';
import { useLogPlace, useReport, type ReportQuery } from '../../hooks/log';
import { paths } from '../../hooks/paths';
import { compact, count, plural } from '../../model/number';
import type { CostReport, Summary, ToolUsage } from '../../model/report';
import { duration } from '../../model/time';
import { oneLine } from '../../model/visible';

const SHOWN = 7;
const unnamed = <span class="soft">(not named)</span>;
const errors = (value: number): ComponentChildren => (value > 0 ? <b>{plural(value, 'error')}</b> : 'no errors');

export function TopAgents({ summary }: { summary: Summary }) {
  const { name } = useLogPlace();
  const meters = summary.top_agents.slice(0, SHOWN).map((it) => ({
    key: it.agent ?? '',
    value: it.events,
    errors: it.errors,
    name: it.agent === null ? unnamed : <a href={paths.agent(name, it.agent)}>{oneLine(it.agent)}</a>,
    note: (
      <>
        {count(it.events)}, {errors(it.errors)}
      </>
    ),
  }));
  return (
    <Card title="Most active agents" width="w4">
      {meters.length === 0 ? <Empty title="No agent was active" /> : <Meters meters={meters} />}
    </Card>
  );
}

export function TopTools({ query, every }: { query: ReportQuery; every: number }) {
  const { name } = useLogPlace();
  const { data, error, refresh } = useReport<ToolUsage>(name, 'tool-usage', query, every);
  const meters = data?.tool_breakdown.slice(0, SHOWN).map((it) => ({
    key: it.tool ?? '',
    value: it.calls,
    errors: it.errors,
    name:
      it.tool === null ? (
        unnamed
      ) : (
        <a href={paths.explore(name, new URLSearchParams([['tool', it.tool]]).toString())}>{oneLine(it.tool)}</a>
      ),
    note: (
      <>
        {count(it.calls)}, {errors(it.errors)}
        {it.denied > 0 ? `, ${it.denied} denied` : ''}
        {it.p95_ms === null ? '' : `, p95 ${duration(it.p95_ms)}`}
      </>
    ),
  }));
  return (
    <Card title="Most used tools" width="w4">
      {error && <Failure error={error} retry={refresh} />}
      {!meters && !error && <Waiting what="tools" />}
      {meters && (meters.length === 0 ? <Empty title="No tool was called" /> : <Meters meters={meters} />)}
    </Card>
  );
}

export function Models({ cost }: { cost: CostReport | undefined }) {
  const named = cost?.by_model.filter((it) => it.tokens.total > 0).slice(0, SHOWN) ?? [];
  const meters = named.map((it) => ({
    key: it.name ?? '',
    value: it.tokens.total,
    name: it.name === null ? unnamed : oneLine(it.name),
    note: `${compact(it.tokens.total)} tokens${it.cost.map((money) => oneLine(`, ${money.amount} ${money.currency ?? ''}`)).join('')}`,
  }));
  return (
    <Card title="Tokens by model" width="w4">
      {meters.length === 0 ? <Empty title="No tokens were told" /> : <Meters meters={meters} />}
    </Card>
  );
}

export function Outcomes({ summary }: { summary: Summary }) {
  const { name } = useLogPlace();
  const meters = Object.entries(summary.outcomes)
    .sort(([, one], [, other]) => other - one)
    .map(([outcome, events]) => ({
      key: outcome,
      value: events,
      errors: outcome === 'failure' || outcome === 'timeout' ? events : 0,
      name: <a href={paths.explore(name, `outcome=${encodeURIComponent(outcome)}`)}>{oneLine(outcome)}</a>,
      note: count(events),
    }));
  return (
    <Card title="How events ended" width="w4">
      {meters.length === 0 ? <Empty title="Nothing ended" /> : <Meters meters={meters} />}
    </Card>
  );
}
