// The live feed as state: rows come in as fast as the log takes them, and are drawn ten times a second, which
// is more than anybody reads.
import { useEffect, useRef, useState } from 'preact/hooks';
import { live } from '../api/questions';
import { shapes } from '../api/shapes';
import { narrow } from '../api/narrow';
import type { EventRecord } from '../api/types';
import { Feed, type FeedRow } from '../model/feed';
import type { Search } from '../model/filters';
import { SentEvents, type Sent } from '../model/sse';

/** Between two pictures. Each draws the same few rows, however many came; where so many come that nobody reads
 *  them, fewer pictures leave the time to take them. */
const PICTURE_MS = 100;
const BUSY_PICTURE_MS = 300;
const BUSY_RECORDS = 100;
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

export function useLive(log: string, search: Search, from: number | undefined, isOwnShown: boolean): LiveFeed {
  const feed = useRef(new Feed());
  const frozen = useRef<{ every: FeedRow[]; events: FeedRow[]; seen: number } | undefined>(undefined);
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
    let picture = 0;
    let drawn = 0;
    let wait = PICTURE_MS;
    const soon = (): void => {
      picture ||= window.setTimeout(() => {
        const { seen } = feed.current;
        wait = seen - drawn > BUSY_RECORDS ? BUSY_PICTURE_MS : PICTURE_MS;
        drawn = seen;
        picture = 0;
        redraw((turn) => turn + 1);
      }, wait);
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
      clearTimeout(picture);
    };
  }, [key]);
  const still = frozen.current;
  const pause = (paused: boolean): void => {
    const { current } = feed;
    frozen.current = paused
      ? { every: current.rows(true).slice(), events: current.rows(false).slice(), seen: current.seen }
      : undefined;
    redraw((turn) => turn + 1);
  };
  const clear = (): void => {
    feed.current.clear();
    pause(false);
  };
  const { seen, missed } = feed.current;
  return {
    rows: still ? (isOwnShown ? still.every : still.events) : feed.current.rows(isOwnShown),
    seen,
    missed,
    ...status.current,
    isPaused: still !== undefined,
    waiting: still ? seen - still.seen : 0,
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
    for (const sent of events.push(decoder.decode(piece.value, { stream: true }))) take(sent, feed);
    soon();
  }
}

function take(sent: Sent, feed: Feed): void {
  const data: unknown = JSON.parse(sent.data);
  if (sent.event === 'record') feed.add(narrow<EventRecord>(data, shapes.record, 'record'));
  else if (sent.event === 'missed')
    feed.miss(narrow<{ records: number }>(data, { records: 'number' }, 'missed').records);
}
