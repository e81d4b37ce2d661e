// The live feed as state: rows come in as fast as the log takes them, and are drawn once a frame.
import { useEffect, useRef, useState } from 'preact/hooks';
import { live } from '../api/questions';
import { shapes } from '../api/shapes';
import { narrow } from '../api/narrow';
import type { EventRecord } from '../api/types';
import { Feed, type FeedRow } from '../model/feed';
import type { Search } from '../model/filters';
import { SentEvents, type Sent } from '../model/sse';

const WAIT_MS = [500, 1_000, 2_000, 5_000, 10_000];

export interface LiveFeed {
  rows: FeedRow[];
  seen: number;
  missed: number;
  /** Events a second, over the last second. */
  rate: number;
  state: 'connecting' | 'open' | 'lost';
  error: Error | undefined;
  isPaused: boolean;
  /** Rows that came since the pause. */
  waiting: number;
  pause: (paused: boolean) => void;
  clear: () => void;
}

export function useLive(log: string, search: Search, from: number | undefined): LiveFeed {
  const feed = useRef(new Feed());
  const frozen = useRef<{ rows: FeedRow[]; seen: number } | undefined>(undefined);
  const status = useRef<{ state: LiveFeed['state']; error: Error | undefined; rate: number }>({
    state: 'connecting',
    error: undefined,
    rate: 0,
  });
  const [, redraw] = useState(0);
  const key = JSON.stringify([log, search, from]);
  useEffect(() => {
    const end = new AbortController();
    feed.current = new Feed();
    if (from !== undefined) feed.current.last = from - 1;
    frozen.current = undefined;
    let frame = 0;
    const soon = (): void => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        redraw((turn) => turn + 1);
      });
    };
    let before = 0;
    const timer = setInterval(() => {
      status.current.rate = feed.current.seen - before;
      before = feed.current.seen;
      soon();
    }, 1_000);
    void follow(log, search, feed.current, status.current, soon, end.signal);
    return () => {
      end.abort();
      clearInterval(timer);
      cancelAnimationFrame(frame);
    };
  }, [key]);
  const shown = frozen.current ?? { rows: feed.current.rows, seen: feed.current.seen };
  const pause = (paused: boolean): void => {
    frozen.current = paused ? { rows: feed.current.rows.slice(), seen: feed.current.seen } : undefined;
    redraw((turn) => turn + 1);
  };
  const clear = (): void => {
    feed.current.rows = [];
    pause(false);
  };
  const { seen, missed } = feed.current;
  return {
    rows: shown.rows,
    seen,
    missed,
    ...status.current,
    isPaused: frozen.current !== undefined,
    waiting: seen - shown.seen,
    pause,
    clear,
  };
}

async function follow(
  log: string,
  search: Search,
  feed: Feed,
  status: { state: LiveFeed['state']; error: Error | undefined },
  soon: () => void,
  signal: AbortSignal,
): Promise<void> {
  const query = {
    ...search,
    order: undefined,
    from: undefined,
    to: undefined,
    content: search.text === undefined ? 0 : 1,
  };
  const isOver = (): boolean => signal.aborted;
  for (let attempt = 0; !isOver(); attempt += 1) {
    try {
      const body = await live(log, query, feed.last, signal);
      Object.assign(status, { state: 'open', error: undefined });
      attempt = 0;
      soon();
      await read(body, feed, soon);
    } catch (error) {
      status.error = error instanceof Error ? error : new Error(String(error));
    }
    if (isOver()) return;
    status.state = 'lost';
    soon();
    await new Promise((resolve) => setTimeout(resolve, WAIT_MS[Math.min(attempt, WAIT_MS.length - 1)]));
  }
}

async function read(body: ReadableStream<Uint8Array>, feed: Feed, soon: () => void): Promise<void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const events = new SentEvents();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    events.push(decoder.decode(piece.value, { stream: true })).forEach((sent) => take(sent, feed));
    soon();
  }
}

function take(sent: Sent, feed: Feed): void {
  const data: unknown = JSON.parse(sent.data);
  if (sent.event === 'record') feed.add(narrow<EventRecord>(data, shapes.record, 'record'));
  else if (sent.event === 'missed')
    feed.miss(narrow<{ records: number }>(data, { records: 'number' }, 'missed').records);
}
