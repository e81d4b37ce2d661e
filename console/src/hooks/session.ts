// Who is signed in. The token is sent once and never kept: from then on the browser has a cookie that
// no script can read.
import { useEffect, useState } from 'preact/hooks';
import { onSignedOut } from '../api/client';
import { ApiError } from '../api/problem';
import { signIn, signOut, whoAmI } from '../api/questions';
import type { Session } from '../api/types';
import { cache } from './cache';

export type Signed =
  { state: 'asking' } | { state: 'out'; wasIn: boolean; error?: Error } | { state: 'in'; session: Session };

export interface SessionActions {
  enter: (token: string) => Promise<void>;
  leave: () => Promise<void>;
}

export function useSession(): [Signed, SessionActions] {
  const [signed, setSigned] = useState<Signed>({ state: 'asking' });
  const look = async (): Promise<void> => {
    try {
      setSigned({ state: 'in', session: await whoAmI() });
    } catch (error) {
      const isRefused = error instanceof ApiError && error.status === 401;
      setSigned((before) =>
        isRefused
          ? { state: 'out', wasIn: before.state === 'in' }
          : { state: 'out', wasIn: false, error: error as Error },
      );
    }
  };
  useEffect(() => {
    void look();
    return onSignedOut(() => setSigned((before) => (before.state === 'in' ? { state: 'out', wasIn: true } : before)));
  }, []);
  const enter = async (token: string): Promise<void> => {
    await signIn(token);
    cache.clear();
    await look();
  };
  const leave = async (): Promise<void> => {
    await signOut().catch(() => undefined);
    cache.clear();
    setSigned({ state: 'out', wasIn: false });
  };
  return [signed, { enter, leave }];
}
