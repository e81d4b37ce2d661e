// The search in the bar: filters and text as one would type them for the command line. It goes to
// Explore, and shows there what is searched for.
import type { RefObject } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { paths, routeOf } from '../../hooks/paths';
import { go, type Place } from '../../hooks/route';
import { parametersOf, parseTyped, searchOf, typedOf } from '../../model/filters';

interface Props {
  log: string;
  place: Place;
  field: RefObject<HTMLInputElement | null>;
}

export function SearchBox({ log, place, field }: Props) {
  const isExploring = routeOf(place.path).page === 'explore';
  const before = searchOf(place.parameters);
  const shown = isExploring ? typedOf(before) : '';
  const [typed, setTyped] = useState(shown);
  useEffect(() => setTyped(shown), [shown]);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const search = parseTyped(typed);
    const kept = isExploring ? { from: before.from, to: before.to, order: before.order } : {};
    const parameters = parametersOf({ ...kept, ...search } as typeof search);
    for (const name of ['content', 'own'])
      if (isExploring && place.parameters.get(name) === '1') parameters.set(name, '1');
    go(paths.explore(log, parameters.toString()));
    field.current?.blur();
  };
  return (
    <form class="search" role="search" onSubmit={submit}>
      <input
        ref={field}
        class="field"
        type="search"
        name="q"
        value={typed}
        aria-label="Search events"
        placeholder="agent:Billing outcome:timeout refund"
        spellcheck={false}
        autocomplete="off"
        onInput={(event) => setTyped(event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
      />
      <kbd aria-hidden="true">/</kbd>
    </form>
  );
}
