// One statement of SQL, asked when somebody says so and never by itself: the log keeps every statement.
import { useRef, useState } from 'preact/hooks';
import { sql } from '../api/questions';
import type { Rows } from '../api/types';

export interface Asked {
  /** The statement that was answered, or is being. */
  statement: string;
  rows: Rows | undefined;
  error: Error | undefined;
  isBusy: boolean;
}

const NOTHING: Asked = { statement: '', rows: undefined, error: undefined, isBusy: false };

export function useStatement(log: string): [Asked, (statement: string) => Promise<void>] {
  const [asked, setAsked] = useState(NOTHING);
  const newest = useRef(0);
  const ask = async (statement: string): Promise<void> => {
    const turn = (newest.current += 1);
    setAsked({ ...NOTHING, statement, isBusy: true });
    const answer = await sql(log, statement).then(
      (rows) => ({ rows, error: undefined }),
      (error: unknown) => ({ rows: undefined, error: error as Error }),
    );
    if (turn === newest.current) setAsked({ statement, isBusy: false, ...answer });
  };
  return [asked, ask];
}
