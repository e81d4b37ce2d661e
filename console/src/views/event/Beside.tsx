// A list, and beside it the event that was chosen in it: the address says which.
import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import { useShortcuts, type Shortcuts } from '../../hooks/keys';
import { go, withParameters, type Place } from '../../hooks/route';
import { EventDetail } from './EventDetail';

interface Props {
  place: Place;
  /** How the list stands as long as nothing is chosen. */
  alone?: string;
  children: ComponentChildren;
}

export function Beside({ place, alone = '', children }: Props) {
  const chosen = chosenIn(place);
  // Only then: a dialog of the browser's own wants the key, too.
  const shortcuts = useMemo(
    (): Shortcuts => (chosen === undefined ? {} : { Escape: () => choose(place, undefined) }),
    [place, chosen],
  );
  useShortcuts(shortcuts);
  return (
    <div class={chosen === undefined ? `split ${alone}` : 'split open'}>
      {children}
      {chosen !== undefined && (
        <aside class="detail" aria-label="The chosen event">
          <EventDetail id={chosen} key={chosen} close={() => choose(place, undefined)} />
        </aside>
      )}
    </div>
  );
}

/** The event that is chosen in a place. */
export const chosenIn = (place: Place): string | undefined => place.parameters.get('event_at') ?? undefined;

/** Chooses an event, or none. Going from one to the next leaves one step in the browser's history. */
export const choose = (place: Place, id: string | undefined): void =>
  go(withParameters(place, { event_at: id }), chosenIn(place) !== undefined);
