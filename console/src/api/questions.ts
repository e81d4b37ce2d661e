// Every question that the console asks, each with the address it goes to and what it answers.
import { address, ask, askBytes, askJson, askText, type Query } from './client';
import { narrow, type Shape } from './narrow';
import { shapes } from './shapes';
import type * as T from './types';

const part = encodeURIComponent;
const base = (log: string): string => `/api/v1/logs/${part(log)}`;
type Signal = AbortSignal | undefined;
const within = (signal: Signal) => (signal ? { signal } : {});

export const SESSION = '/api/v1/session';

export const signIn = async (token: string): Promise<void> => {
  await ask(SESSION, { method: 'POST', headers: { authorization: `Bearer ${token}` } });
};
export const signOut = async (): Promise<void> => {
  await ask(SESSION, { method: 'DELETE' });
};
export const signInIssuers = async (): Promise<T.SignInIssuer[]> =>
  narrow<T.SignInIssuers>(await askJson('/sign-in'), shapes.signInIssuers, 'issuers').issuers;
export const whoAmI = async (): Promise<T.Session> => narrow(await askJson(SESSION), shapes.session, 'session');

export const logs = async (signal?: Signal): Promise<T.LogList> =>
  narrow(await askJson('/api/v1/logs', within(signal)), shapes.logs, 'logs');

export const log = async (name: string, signal?: Signal): Promise<T.LogHealth> =>
  narrow(await askJson(base(name), within(signal)), shapes.log, 'log');

export const events = async (name: string, query: Query, signal?: Signal): Promise<T.Page> =>
  narrow(await askJson(`${base(name)}/events`, { query, ...within(signal) }), shapes.page, 'page');

export const event = async (name: string, id: string, query: Query = {}, signal?: Signal): Promise<T.Page> =>
  narrow(await askJson(`${base(name)}/events/${part(id)}`, { query, ...within(signal) }), shapes.page, 'event');

export const evidence = async (name: string, id: string, query: Query = {}): Promise<T.Evidence> => {
  const path = `${base(name)}/events/${part(id)}/proof`;
  return narrow(await askJson(path, { query: { evidence: 1, ...query } }), shapes.evidence, 'evidence');
};

export async function trace(
  name: string,
  kind: 'traces' | 'sessions',
  id: string,
  content: boolean,
  signal?: Signal,
): Promise<T.Trace> {
  const query = { content: content ? 1 : 0 };
  return narrow(
    await askJson(`${base(name)}/${kind}/${part(id)}`, { query, ...within(signal) }),
    shapes.trace,
    'trace',
  );
}

export const forensics = async (name: string, id: string, signal?: Signal): Promise<T.Examination> =>
  narrow(
    await askJson(`${base(name)}/traces/${part(id)}/forensics`, within(signal)),
    shapes.examination,
    'examination',
  );

/** The same in another format, as a file. */
export const forensicsAs = async (name: string, id: string, format: string): Promise<Blob> =>
  (await ask(`${base(name)}/traces/${part(id)}/forensics`, { query: { format }, accept: '*/*' })).blob();

/** Evidence that checks itself; `subject` is a session, a trace or an event, by its name in the API. */
export const bundleAs = async (name: string, subject: Query, format: string, content: boolean): Promise<Blob> => {
  const query = { ...subject, format, content: content ? 1 : 0 };
  return (await ask(`${base(name)}/bundle`, { query, accept: '*/*' })).blob();
};

export const sessions = async (name: string, signal?: Signal): Promise<T.SessionActivity> =>
  narrow(await askJson(`${base(name)}/sessions`, within(signal)), shapes.sessions, 'sessions');

export const agents = async (name: string, signal?: Signal): Promise<T.AgentActivity> =>
  narrow(await askJson(`${base(name)}/agents`, within(signal)), shapes.agents, 'agents');

export async function report<R extends T.Report>(
  name: string,
  kind: string,
  query: Query,
  signal?: Signal,
): Promise<R> {
  const path = `${base(name)}/reports/${part(kind)}`;
  return narrow(await askJson(path, { query: { ...query, format: 'json' }, ...within(signal) }), shapes.report, kind);
}

export const pack = async (name: string, query: Query, signal?: Signal): Promise<T.PackAnswers> =>
  narrow(
    await askJson(`${base(name)}/reports/compliance-check`, { query: { ...query, format: 'json' }, ...within(signal) }),
    shapes.pack,
    'pack',
  );

export const reportAs = async (name: string, kind: string, query: Query): Promise<Blob> =>
  (await ask(`${base(name)}/reports/${part(kind)}`, { query, accept: '*/*' })).blob();

export const holds = async (name: string, signal?: Signal): Promise<T.Holds> =>
  narrow(await askJson(`${base(name)}/holds`, within(signal)), shapes.holds, 'holds');

export const erasures = async (name: string, signal?: Signal): Promise<T.Erasures> =>
  narrow(await askJson(`${base(name)}/erasures`, within(signal)), shapes.erasures, 'erasures');

export const retention = async (name: string, signal?: Signal): Promise<T.Plan> =>
  narrow(await askJson(`${base(name)}/retention`, within(signal)), shapes.plan, 'plan');

const done = async <R>(name: string, path: string, json: unknown, shape: Shape, what: string): Promise<R> =>
  narrow<R>(await askJson(`${base(name)}/${path}`, { method: 'POST', json }), shape, what);

export const hold = (name: string, select: T.Select, reason: string): Promise<T.Held> =>
  done(name, 'holds', { select, reason }, shapes.held, 'hold');

export const release = (name: string, id: string, reason: string): Promise<{ released: string }> =>
  done(name, `holds/${part(id)}/release`, { reason }, shapes.released, 'release');

export const erase = (
  name: string,
  erasure: { select: T.Select; scope: string; reason: string; ground?: string },
): Promise<T.Erased> => done(name, 'erasures', erasure, shapes.erased, 'erasure');

/** Lets go what is due. */
export const expire = (name: string): Promise<T.Expired> => done(name, 'retention', {}, shapes.expired, 'expiry');

/** One SELECT. The log keeps every statement. */
export const sql = (name: string, statement: string): Promise<T.Rows> =>
  done(name, 'sql', { statement }, shapes.rows, 'rows');

export const sqlAs = async (name: string, statement: string, format: string): Promise<Blob> => {
  const asked = { method: 'POST' as const, json: { statement }, query: { format }, accept: '*/*' };
  return (await ask(`${base(name)}/sql`, asked)).blob();
};

export const checkpoint = (name: string): Promise<string> => askText(`/log/${part(name)}/checkpoint`);

export const ledger = async (name: string, signal?: Signal): Promise<T.LedgerNames> =>
  narrow(await askJson(`/log/${part(name)}/ledger`, within(signal)), shapes.ledger, 'ledger');

/** A tile of the public log; `path` as C2SP spells it. */
export const tile = (name: string, path: string): Promise<Uint8Array> => askBytes(`/log/${part(name)}/tile/${path}`);

/** The live feed: a stream of bytes that the caller reads, from behind an index where one is given. */
export async function live(
  name: string,
  query: Query,
  after: number | undefined,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const headers = after === undefined ? {} : { 'last-event-id': String(after) };
  const answer = await ask(`${base(name)}/live`, { query, headers, accept: 'text/event-stream', signal });
  if (!answer.body) throw new TypeError('the feed has no body');
  return answer.body;
}

/** Where the same records are answered for other programs. */
export const eventsAddress = (name: string, query: Query): string => address(`${base(name)}/events`, query);
