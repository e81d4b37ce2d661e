// Where one is: the address, which is all of a view's state that is worth keeping. Links go through
// here, so that a page is not loaded again.
import { useEffect, useState } from 'preact/hooks';
import { parametersOf, type Search } from '../model/filters';

export interface Place {
  path: string;
  parameters: URLSearchParams;
}

const listeners = new Set<() => void>();
const here = (): Place => ({ path: location.pathname, parameters: new URLSearchParams(location.search) });

export function go(to: string, replace = false): void {
  if (to === location.pathname + location.search) return;
  if (replace) history.replaceState(null, '', to);
  else history.pushState(null, '', to);
  listeners.forEach((listener) => listener());
}

export function usePlace(): Place {
  const [place, setPlace] = useState(here);
  useEffect(() => {
    const look = () => setPlace(here());
    listeners.add(look);
    addEventListener('popstate', look);
    return () => {
      listeners.delete(look);
      removeEventListener('popstate', look);
    };
  }, []);
  return place;
}

/** The same place with other parameters; an empty text takes one away. */
export function withParameters(place: Place, changes: Record<string, string | undefined>): string {
  const parameters = new URLSearchParams(place.parameters);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === '') parameters.delete(name);
    else parameters.set(name, value);
  }
  const text = parameters.toString();
  return text === '' ? place.path : `${place.path}?${text}`;
}

/** The same page with another search; the chosen event is left behind. */
export function searchAddress(place: Place, search: Search): string {
  const parameters = parametersOf(search);
  for (const name of ['content', 'own']) if (place.parameters.get(name) === '1') parameters.set(name, '1');
  const text = parameters.toString();
  return text === '' ? place.path : `${place.path}?${text}`;
}

/** Follows links of the console without loading the page again; everything else is the browser's. */
export function followLinks(event: MouseEvent): void {
  const { target } = event;
  const link = target instanceof Element ? target.closest('a') : null;
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!link || !isPlain || event.defaultPrevented || link.target !== '' || link.hasAttribute('download')) return;
  if (
    link.origin !== location.origin ||
    !link.pathname.startsWith('/logs/') ||
    link.getAttribute('href')?.startsWith('#')
  )
    return;
  event.preventDefault();
  go(link.pathname + link.search);
  scrollTo(0, 0);
}
