// What is asked about a log as a whole, and who acts there.
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import * as questions from '../api/questions';
import type {
  AgentActivity,
  Examination,
  PackAnswers,
  LogHealth,
  LogList,
  Plan,
  Report,
  SessionActivity,
  Trace,
  Holds,
  Erasures,
  LedgerNames,
} from '../api/types';
import { useQuery, type Answer } from './query';

const HEALTH_EVERY_MS = 5_000;
const ACTIVITY_EVERY_MS = 15_000;

/** The log that is looked at, and what the caller may do in it. */
export interface LogPlace {
  name: string;
  may: ReadonlySet<string>;
  /** Whether what serves it answers SQL. */
  sql: boolean;
}
export const LogContext = createContext<LogPlace>({ name: '', may: new Set(), sql: false });
export const useLogPlace = (): LogPlace => useContext(LogContext);

export const useLogs = (): Answer<LogList> => useQuery(['logs'], questions.logs);

export const useLogHealth = (name: string): Answer<LogHealth> =>
  useQuery(['log', name], (signal) => questions.log(name, signal), { every: HEALTH_EVERY_MS, enabled: name !== '' });

export const useAgents = (name: string): Answer<AgentActivity> =>
  useQuery(['agents', name], (signal) => questions.agents(name, signal), { every: ACTIVITY_EVERY_MS });

export const useSessions = (name: string): Answer<SessionActivity> =>
  useQuery(['sessions', name], (signal) => questions.sessions(name, signal), { every: ACTIVITY_EVERY_MS });

/** A trace or a session; with what stands in content only when that is wanted, because the log records it. */
export const useTrace = (name: string, kind: 'traces' | 'sessions', id: string, content: boolean): Answer<Trace> =>
  useQuery([kind, name, id, content], (signal) => questions.trace(name, kind, id, content, signal), { keep: true });

/** What failed first in a trace, and why. Asked for once: looking at content is a record of the log. */
export const useForensics = (name: string, id: string): Answer<Examination> =>
  useQuery(['forensics', name, id], (signal) => questions.forensics(name, id, signal));

export interface ReportQuery {
  from?: string | undefined;
  to?: string | undefined;
  content?: 0 | 1;
}

export function useReport<R extends Report>(
  name: string,
  kind: string,
  query: ReportQuery,
  every: number | false = false,
): Answer<R> {
  return useQuery<R>(['report', name, kind, query], (signal) => questions.report<R>(name, kind, { ...query }, signal), {
    every,
    keep: true,
  });
}

/** A pack of controls held against the log. It looks into content, and so is asked for once. */
export const usePack = (name: string, pack: string, from: string, enabled: boolean): Answer<PackAnswers> =>
  useQuery(['pack', name, pack, from], (signal) => questions.pack(name, { pack, from }, signal), { enabled });

export const useHolds = (name: string, enabled: boolean): Answer<Holds> =>
  useQuery(['holds', name], (signal) => questions.holds(name, signal), { enabled });

export const useErasures = (name: string, enabled: boolean): Answer<Erasures> =>
  useQuery(['erasures', name], (signal) => questions.erasures(name, signal), { enabled });

export const useRetention = (name: string, enabled: boolean): Answer<Plan> =>
  useQuery(['retention', name], (signal) => questions.retention(name, signal), { enabled });

export const useLedger = (name: string): Answer<LedgerNames> =>
  useQuery(['ledger', name], (signal) => questions.ledger(name, signal));

const CHECKPOINT_EVERY_MS = 10_000;

export const useCheckpoint = (name: string): Answer<string> =>
  useQuery(['checkpoint', name], () => questions.checkpoint(name), { every: CHECKPOINT_EVERY_MS });
