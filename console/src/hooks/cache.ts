// The cache of what the server answered: one client for the whole console. Answers name their
// checkpoint and the log only grows, so what is shown is at worst a little old, never wrong.
import { QueryClient } from '@tanstack/query-core';
import { ApiError } from '../api/problem';

const RETRIES_MAX = 2;

export const cache = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      gcTime: 300_000,
      refetchOnWindowFocus: false,
      // Only what may be otherwise in a moment is asked again.
      retry: (failures, error) =>
        failures < RETRIES_MAX && (!(error instanceof ApiError) || error.status === 503 || error.status === 429),
      retryDelay: (failures, error) =>
        1_000 * (error instanceof ApiError ? (error.retryAfter ?? 1 + failures) : 1 + failures),
    },
  },
});
cache.mount();
