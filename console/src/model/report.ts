// What the views read of reports (docs/reports.md, "Fields"). Numbers that are not there count as none.
import type { Report } from '../api/types';

/** A column of a chart over time. */
export interface Column {
  label: string;
  from: string;
  value: number;
  errors: number;
}

export interface Hour {
  hour: string;
  events: number;
  errors: number;
}

export interface Summary extends Report {
  total_events: number;
  total_errors: number;
  error_rate: number;
  total_handoffs: number;
  total_escalations: number;
  agents_active: number;
  top_agents: { agent: string | null; events: number; errors: number }[];
  outcomes: Record<string, number>;
  activity: Hour[];
}

export interface ToolUsage extends Report {
  total_tool_calls: number;
  tool_breakdown: {
    tool: string | null;
    calls: number;
    errors: number;
    denied: number;
    p95_ms: number | null;
    without_end: number;
  }[];
}

export interface CostReport extends Report {
  total_cost: { currency: string | null; amount: string }[];
  total_tokens: { input: number; output: number; total: number };
  by_model: { name: string | null; tokens: { total: number }; cost: { currency: string | null; amount: string }[] }[];
}

const HOUR_MS = 3_600_000;
/** More columns than these are put together by day. */
const COLUMNS_MAX = 96;

/** Columns without holes: hours in which nothing happened are there too. */
export function columnsOf(activity: readonly Hour[]): Column[] {
  const hours = activity.map((it) => ({ at: Date.parse(it.hour), ...it })).filter((it) => Number.isFinite(it.at));
  const [first, last] = [hours[0], hours.at(-1)];
  if (!first || !last) return [];
  const step = (last.at - first.at) / HOUR_MS < COLUMNS_MAX ? HOUR_MS : 24 * HOUR_MS;
  const begin = Math.floor(first.at / step) * step;
  const slots = Math.min(Math.floor((last.at - begin) / step) + 1, 1_000);
  const columns = Array.from({ length: slots }, (_, at): Column => {
    const time = new Date(begin + at * step).toISOString();
    const label = step === HOUR_MS ? time.slice(11, 16) : time.slice(5, 10);
    return { label, from: time.slice(0, step === HOUR_MS ? 16 : 10).replace('T', ' '), value: 0, errors: 0 };
  });
  for (const hour of hours) {
    const column = columns[Math.floor((hour.at - begin) / step)];
    if (!column) continue;
    column.value += hour.events;
    column.errors += hour.errors;
  }
  return columns;
}
