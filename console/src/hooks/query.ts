// A question to the server as state of a view: asked once for everybody who needs it, kept in the cache,
// asked again when it should be.
import { InfiniteQueryObserver, QueryObserver, type InfiniteData } from '@tanstack/query-core';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { cache } from './cache';

export interface Answer<T> {
  data: T | undefined;
  error: Error | null;
  isLoading: boolean;
  isRefreshing: boolean;
  refresh: () => void;
}

interface Options {
  enabled?: boolean;
  /** Milliseconds after which it is asked again, as long as somebody looks. */
  every?: number | false;
  /** Whether the last answer is shown while another question is on its way. */
  keep?: boolean;
}

type Key = readonly unknown[];

export function useQuery<T>(key: Key, ask: (signal: AbortSignal) => Promise<T>, options: Options = {}): Answer<T> {
  const { enabled = true, every = false, keep = false } = options;
  const said = {
    queryKey: key,
    queryFn: ({ signal }: { signal: AbortSignal }) => ask(signal),
    enabled,
    refetchInterval: every,
    ...(keep ? { placeholderData: (before: T | undefined) => before } : {}),
  };
  const observer = useMemo(() => new QueryObserver<T>(cache, said as never), []);
  const [, redraw] = useState(0);
  observer.setOptions(said as never);
  useEffect(() => observer.subscribe(() => redraw((turn) => turn + 1)), [observer]);
  const result = observer.getOptimisticResult(cache.defaultQueryOptions(said as never));
  return {
    data: result.data,
    error: result.error,
    isLoading: result.isLoading,
    isRefreshing: result.isFetching && !result.isLoading,
    refresh: () => void observer.refetch(),
  };
}

export interface Pages<T> extends Answer<T[]> {
  hasMore: boolean;
  more: () => void;
}

/** An answer in pages, each of which says where the next begins. */
export function usePages<T extends { next?: string }>(
  key: Key,
  ask: (cursor: string | undefined, signal: AbortSignal) => Promise<T>,
): Pages<T> {
  const said = {
    queryKey: key,
    queryFn: ({ pageParam, signal }: { pageParam: string | undefined; signal: AbortSignal }) => ask(pageParam, signal),
    initialPageParam: undefined,
    getNextPageParam: (page: T) => page.next,
  };
  const observer = useMemo(() => new InfiniteQueryObserver<T, Error, InfiniteData<T>>(cache, said as never), []);
  const [, redraw] = useState(0);
  observer.setOptions(said as never);
  useEffect(() => observer.subscribe(() => redraw((turn) => turn + 1)), [observer]);
  const result = observer.getCurrentResult();
  return {
    data: result.data?.pages,
    error: result.error,
    isLoading: result.isLoading,
    isRefreshing: result.isFetching && !result.isLoading,
    refresh: () => void cache.resetQueries({ queryKey: key, exact: true }),
    hasMore: result.hasNextPage,
    more: () => {
      if (result.hasNextPage && !result.isFetching) void observer.fetchNextPage();
    },
  };
}
