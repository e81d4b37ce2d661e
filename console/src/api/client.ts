// The only file that asks: every request of the console goes through here, with its session cookie and
// the header that no other site can send.
import { ApiError } from './problem';

export type Query = Record<string, string | number | readonly string[] | undefined>;

export interface Ask {
  method?: 'GET' | 'POST' | 'DELETE';
  query?: Query;
  json?: unknown;
  accept?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

const signedOut = new Set<() => void>();

/** Is told when the server no longer knows the session. */
export function onSignedOut(listener: () => void): () => void {
  signedOut.add(listener);
  return () => signedOut.delete(listener);
}

/** An address with its parameters; lists repeat their name, and what is empty is left out. */
export function address(path: string, query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of typeof value === 'object' ? value : [value]) {
      if (one !== undefined && one !== '') parameters.append(name, String(one));
    }
  }
  const text = parameters.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** Asks, and answers only what was a success. */
export async function ask(
  path: string,
  { method = 'GET', query, json, accept, headers, signal }: Ask = {},
): Promise<Response> {
  const response = await fetch(address(path, query), {
    method,
    credentials: 'same-origin',
    redirect: 'error',
    headers: {
      'x-tacho-console': '1',
      accept: accept ?? 'application/json',
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    ...(signal ? { signal } : {}),
  });
  if (response.ok) return response;
  const error = await failure(response);
  if (error.status === 401) signedOut.forEach((listener) => listener());
  throw error;
}

export async function askJson(path: string, options: Ask = {}): Promise<unknown> {
  return (await ask(path, options)).json();
}

export async function askText(path: string, options: Ask = {}): Promise<string> {
  return (await ask(path, { accept: 'text/plain, */*', ...options })).text();
}

export async function askBytes(path: string, options: Ask = {}): Promise<Uint8Array> {
  return new Uint8Array(await (await ask(path, { accept: '*/*', ...options })).arrayBuffer());
}

async function failure(response: Response): Promise<ApiError> {
  const after = Number(response.headers.get('retry-after') ?? NaN);
  const retryAfter = Number.isFinite(after) ? after : undefined;
  const said: unknown = await response.json().catch(() => undefined);
  const { code, detail } = (said ?? {}) as { code?: unknown; detail?: unknown };
  return new ApiError(
    {
      status: response.status,
      code: typeof code === 'string' ? code : `http_${response.status}`,
      detail: typeof detail === 'string' ? detail : `the server answered ${response.status} without saying why`,
    },
    retryAfter,
  );
}
