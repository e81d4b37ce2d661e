// What a request that was not answered becomes: RFC 9457 documents as errors.
import type { Problem } from './types';

export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  /** Seconds after which to try again, where the server said so. */
  readonly retryAfter: number | undefined;

  constructor(problem: Pick<Problem, 'status' | 'code' | 'detail'>, retryAfter?: number) {
    super(problem.detail);
    this.name = 'ApiError';
    this.status = problem.status;
    this.code = problem.code;
    this.retryAfter = retryAfter;
  }
}

/** An answer that is not what the API says of itself: a bug, or something between us and the server. */
export class UnexpectedAnswer extends Error {
  override name = 'UnexpectedAnswer';
}

/** The stable code of an error, where it has one. */
export const codeOf = (error: Error | null): string | undefined => (error instanceof ApiError ? error.code : undefined);
