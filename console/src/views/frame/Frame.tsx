// What stands around every page: the bar with the search, the navigation, the keyboard.
import type { ComponentChildren } from 'preact';
import { useMemo, useRef, useState } from 'preact/hooks';
import type { LogHealth, Session } from '../../api/types';
import { Icon } from '../../components/Icon';
import { useShortcuts } from '../../hooks/keys';
import { paths, type Route } from '../../hooks/paths';
import { go, type Place } from '../../hooks/route';
import { Account } from './Account';
import { Navigation } from './Navigation';
import { SearchBox } from './SearchBox';
import { ShortcutList } from './ShortcutList';

interface Props {
  route: Route;
  place: Place;
  names: string[];
  health: LogHealth | undefined;
  session: Session;
  leave: () => Promise<void>;
  children: ComponentChildren;
}

export function Frame({ route, place, names, health, session, leave, children }: Props) {
  const log = route.log ?? names[0] ?? '';
  const [isOpen, setOpen] = useState(false);
  const [isHelping, setHelping] = useState(false);
  const search = useRef<HTMLInputElement>(null);
  const shortcuts = useMemo(
    () => ({
      '/': () => search.current?.focus(),
      '?': () => setHelping(true),
      'g o': () => go(paths.overview(log)),
      'g l': () => go(paths.live(log)),
      'g e': () => go(paths.explore(log)),
      'g s': () => go(paths.sessions(log)),
      'g a': () => go(paths.agents(log)),
      'g r': () => go(paths.reports(log)),
      'g i': () => go(paths.integrity(log)),
    }),
    [log],
  );
  useShortcuts(shortcuts);
  return (
    <div class="frame">
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <header class="top">
        <button
          type="button"
          class="button quiet icon only-small"
          aria-label="Navigation"
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        >
          <Icon name="menu" />
        </button>
        <a class="brand" href={paths.overview(log)}>
          <img src="/mark.svg" alt="" width="22" height="22" />
          Tachograph
        </a>
        <SearchBox log={log} place={place} field={search} />
        <Account log={log} names={names} session={session} leave={leave} help={() => setHelping(true)} />
      </header>
      <div class={isOpen ? 'side open' : 'side'} onClick={() => setOpen(false)}>
        <Navigation log={log} page={route.page} health={health} />
      </div>
      <main class="main" id="main" tabIndex={-1}>
        {children}
      </main>
      <ShortcutList isOpen={isHelping} close={() => setHelping(false)} />
    </div>
  );
}
