// The filters of a search: the same ones that the command line has, and their place in an address.

/** In the order in which they are offered. */
export const FILTERS = [
  'agent',
  'type',
  'outcome',
  'tool',
  'error_type',
  'trace',
  'session',
  'task',
  'principal',
  'tier',
  'event',
] as const;
export type Filter = (typeof FILTERS)[number];

export const OUTCOMES = ['success', 'failure', 'timeout', 'denied', 'escalated', 'cancelled', 'unknown'] as const;
export const TIERS = ['debug', 'info', 'compliance', 'critical'] as const;

export type Search = { [name in Filter]?: string[] } & { text?: string; from?: string; to?: string; order?: string };

/** What an address says that is searched for; whatever else it says is left alone. */
export function searchOf(parameters: URLSearchParams): Search {
  const search: Search = {};
  for (const filter of FILTERS) {
    const values = parameters.getAll(filter).filter((value) => value !== '');
    if (values.length > 0) search[filter] = values;
  }
  for (const name of ['text', 'from', 'to', 'order'] as const) {
    const value = parameters.get(name);
    if (value) search[name] = value;
  }
  return search;
}

/** The parameters of an address for a search. */
export function parametersOf(search: Search): URLSearchParams {
  const parameters = new URLSearchParams();
  for (const filter of FILTERS) search[filter]?.forEach((value) => parameters.append(filter, value));
  for (const name of ['text', 'from', 'to', 'order'] as const) {
    const value = search[name];
    if (value) parameters.set(name, value);
  }
  return parameters;
}

const PAIR = /(^|\s)([a-z_]+):(?:"([^"]*)"|(\S+))/g;

/** What somebody typed: `agent:Billing outcome:timeout "gave no answer"` as filters and text. */
export function parseTyped(typed: string): Search {
  const search: Search = {};
  const text = typed.replace(PAIR, (whole, _space, name: string, quoted?: string, plain?: string) => {
    const value = quoted ?? plain ?? '';
    if (isFilter(name)) (search[name] ??= []).push(value);
    else if (name === 'from' || name === 'to') search[name] = value;
    else return whole;
    return ' ';
  });
  const rest = text.replace(/\s+/g, ' ').trim();
  if (rest !== '') search.text = rest;
  return search;
}

/** The same search as somebody would type it. */
export function typedOf(search: Search): string {
  const spelled = (value: string) => (/[\s"]/.test(value) ? `"${value.replaceAll('"', '')}"` : value);
  const filters = FILTERS.flatMap((name) => (search[name] ?? []).map((value) => `${name}:${spelled(value)}`));
  return [...filters, search.text ?? ''].filter((it) => it !== '').join(' ');
}

/** Whether the log's own records (`log.*`) are shown among the events: when that is chosen, or asked for. */
export const showsOwn = (parameters: URLSearchParams, search: Search): boolean =>
  parameters.get('own') === '1' ||
  search.event !== undefined ||
  (search.type ?? []).some((type) => type.startsWith('log.'));

export const isFilter = (name: string): name is Filter => (FILTERS as readonly string[]).includes(name);
