// Searches that somebody keeps by name, in this browser. What is kept is what is asked for, never what was
// answered.
import { parametersOf, searchOf } from './filters';

export interface SavedView {
  name: string;
  /** The parameters of the search's address. */
  query: string;
}

const VIEWS_MAX = 50;
const NAME_LETTERS_MAX = 60;
const OWN = ['own'];

/** What of an address is worth keeping: the search, nothing else. */
export function queryOf(parameters: URLSearchParams): string {
  const kept = parametersOf(searchOf(parameters));
  for (const name of OWN) if (parameters.get(name) === '1') kept.set(name, '1');
  return kept.toString();
}

export function viewsFrom(kept: string | null): SavedView[] {
  try {
    const found: unknown = JSON.parse(kept ?? '[]');
    return Array.isArray(found) ? found.filter(isView).slice(0, VIEWS_MAX) : [];
  } catch {
    return [];
  }
}

/** With one more, or another one of the same name; the oldest go when there are too many. */
export function withView(views: readonly SavedView[], name: string, query: string): SavedView[] {
  const short = name.trim().slice(0, NAME_LETTERS_MAX);
  if (short === '') return [...views];
  return [...views.filter((it) => it.name !== short), { name: short, query }].slice(-VIEWS_MAX);
}

function isView(value: unknown): value is SavedView {
  if (typeof value !== 'object' || value === null) return false;
  const { name, query } = value as Partial<SavedView>;
  // What it leads to is made anew from what it says, so nothing else than a search comes of it.
  return typeof name === 'string' && typeof query === 'string' && queryOf(new URLSearchParams(query)) === query;
}
