// The whole console: whoever is not signed in signs in; then the page that the address names.
import { useEffect } from 'preact/hooks';
import { Failure, Waiting } from '../components/States';
import { go, followLinks, usePlace } from '../hooks/route';
import { LogContext, useLogHealth, useLogs } from '../hooks/log';
import { paths, routeOf } from '../hooks/paths';
import { useSession, type SessionActions } from '../hooks/session';
import { codeOf } from '../api/problem';
import type { LogHealth, Session } from '../api/types';
import { Frame } from './frame/Frame';
import { Watch } from './frame/Watch';
import { Page } from './Page';
import { SignIn } from './SignIn';

export function Console() {
  const [signed, actions] = useSession();
  useEffect(() => {
    addEventListener('click', followLinks);
    return () => removeEventListener('click', followLinks);
  }, []);
  if (signed.state === 'asking') return <Waiting what="the console" />;
  if (signed.state === 'out') return <SignIn wasIn={signed.wasIn} failure={signed.error} enter={actions.enter} />;
  return <Within session={signed.session} actions={actions} />;
}

function Within({ session, actions }: { session: Session; actions: SessionActions }) {
  const place = usePlace();
  const route = routeOf(place.path);
  const logs = useLogs();
  const health = useLogHealth(route.log ?? '');
  const names = logs.data?.logs.map((log) => log.name) ?? [];
  const first = names.includes('main') ? 'main' : names[0];
  useEffect(() => {
    if (route.page === 'home' && first !== undefined) go(paths.overview(first), true);
  }, [route.page, first]);
  const known =
    health.data ??
    unseen(
      health.error,
      logs.data?.logs.find((it) => it.name === route.log),
    );
  const log = { name: route.log ?? first ?? '', may: new Set(known?.may ?? []), sql: known?.sql === true };
  return (
    <LogContext.Provider value={log}>
      <Frame route={route} place={place} names={names} health={known} session={session} leave={actions.leave}>
        {logs.error ? <Failure error={logs.error} retry={logs.refresh} /> : null}
        {!logs.error && !known && (health.error ? <Failure error={health.error} retry={health.refresh} /> : null)}
        {known && <Watch health={known} key={known.name} />}
        {known ? (
          <Page route={route} place={place} health={known} />
        ) : (
          !health.error && !logs.error && <Waiting what="the log" />
        )}
      </Frame>
    </LogContext.Provider>
  );
}

/** For who sees no events, as an operator: what the list says of the log, and of what they may do there. */
function unseen(error: Error | null, listed: LogHealth | undefined): LogHealth | undefined {
  return codeOf(error) === 'forbidden' ? listed : undefined;
}
