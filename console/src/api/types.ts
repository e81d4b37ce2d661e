// The names by which the console speaks of what the API answers. The types themselves are generated
// from docs/openapi.json (`npm run types`); what stands here beside them the description leaves open.
import type { components } from './schema';

type Schemas = components['schemas'];

export type Problem = Schemas['Problem'];
export type Checkpoint = Schemas['Checkpoint'];
export type SignInIssuer = Schemas['SignInIssuer'];
export type SignInIssuers = Schemas['SignInIssuers'];
export type LogHealth = Schemas['LogHealth'];
export type LogList = Schemas['LogList'];
export type Evidence = Schemas['Evidence'];
export type TraceNode = Schemas['Node'];
export type TraceEdge = Schemas['Edge'];
export type AgentActivity = Schemas['AgentActivity'];
export type ActiveAgent = Schemas['ActiveAgent'];
export type SessionActivity = Schemas['SessionActivity'];
export type ActiveSession = Schemas['ActiveSession'];
export type Hold = Schemas['Hold'];
export type Holds = Schemas['Holds'];
export type Erasure = Schemas['Erasure'];
export type Erasures = Schemas['Erasures'];
export type Plan = Schemas['Plan'];
export type Outcome = Schemas['Outcome'];
export type Tokens = Schemas['Tokens'];
export type Cost = Schemas['Cost'];
export type Report = Schemas['Report'];
export type LedgerNames = Schemas['LedgerNames'];

export type PackAnswers = Schemas['PackAnswers'];
export type Rows = Schemas['Rows'];
/** The description gives each member a default, so the generated type has all of them. */
export type Select = Partial<Schemas['Select']>;
export type Held = Schemas['Held'];
export type Erased = Schemas['Erased'];
export type Expired = Schemas['Expired'];

/** A failure, or a row that has a part in one: what the views read of it. */
interface Named {
  index: number;
}

/** What became of a trace (docs/forensics.md), as far as the views read it. */
export type Examination = Omit<
  Schemas['Examination'],
  'timeline' | 'root_cause' | 'other_failures' | 'consequences' | 'blast_radius' | 'blind_spots' | 'recommendations'
> & {
  timeline: (Named & {
    time: string;
    action: string;
    status: string;
    agent?: string | null;
    duration_ms?: number | null;
    error?: string | null;
    role?: string | null;
  })[];
  root_cause?:
    (Named & { cause: string; sentence: string; confidence: string; basis: string; events: number[] }) | null;
  other_failures: (Named & { cause: string; relation: string; agent?: string | null; tool?: string | null })[];
  consequences: (Named & {
    kind: string;
    status: string;
    is_linked: boolean;
    agent?: string | null;
    detail?: string | null;
  })[];
  blast_radius: {
    from: string;
    to: string;
    shared: { kind: string; name: string; events: number; failures: number; traces: number }[];
  } | null;
  blind_spots: { kind: string; sentence: string; events: number[] }[];
  recommendations: { rule: string; action: string; because: string; events: number[] }[];
};

/** What redaction did at one place of an event. */
export interface Redaction {
  path: string;
  rule: string;
  action: string;
}

/** A record, with the members of an event that the description names at `NewEvent`. */
export type EventRecord = Omit<Schemas['Record'], 'content'> &
  Partial<Omit<Schemas['NewEvent'], 'event_type' | 'event_id' | 'params' | 'result' | 'reasoning' | 'error'>> & {
    content?: Record<string, unknown>;
    principal?: { issuer: string; subject: string; method?: string };
    redactions?: Redaction[];
    model?: { provider?: string; requested?: string; responded?: string };
  };

export interface Page {
  checkpoint: Checkpoint;
  events: EventRecord[];
  next?: string;
}

export interface Findings {
  unreadable: unknown[];
  reordered: unknown[];
  orphans: unknown[];
  circles: unknown[];
  gaps: unknown[];
}

export interface Share {
  name: string;
  events: number;
  errors: number;
}

export interface Totals {
  events: number;
  started_at: string | null;
  ended_at: string | null;
  duration_ms: number | null;
  errors: number;
  tokens?: { total?: number; input?: number; output?: number };
  costs: { amount: string; currency: string | null }[];
  agents: Share[];
  tools: Share[];
}

export interface Trace {
  checkpoint: Checkpoint;
  events: EventRecord[];
  nodes: TraceNode[];
  edges: TraceEdge[];
  totals: Totals;
  findings: Findings;
}

/** Who is signed in. */
export interface Session {
  subject: string;
  roles: string[];
  expires_at?: string | null;
}
