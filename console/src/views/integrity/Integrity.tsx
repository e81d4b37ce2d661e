// Integrity: what the log says of itself, and a check of it by this browser, which asks the server for
// evidence and never for the verdict.
import type { LogHealth } from '../../api/types';
import { Card } from '../../components/Card';
import { Copy } from '../../components/Copy';
import { Empty, Failure, Waiting } from '../../components/States';
import { useCheckpoint, useLedger, useLogPlace } from '../../hooks/log';
import { useTitle } from '../../hooks/screen';
import { bytes, count } from '../../model/number';
import { parseNote } from '../../model/note';
import { ExpectedKey } from './ExpectedKey';
import { SelfCheck } from './SelfCheck';

export function Integrity({ health }: { health: LogHealth }) {
  useTitle('Integrity');
  return (
    <div class="page">
      <div class="head">
        <h1>Integrity</h1>
        <span class="sub mono">{health.origin}</span>
      </div>
      <div class="cols">
        <SelfCheck health={health} />
        <CheckpointCard />
        <ExpectedKey health={health} />
        <LedgerCard />
        <Card title="The log" width="w6">
          <dl class="facts">
            <dt>Entries</dt>
            <dd>{count(health.size)}</dd>
            <dt>Takes events</dt>
            <dd>{health.status === 'up' ? 'yes' : `no: ${health.reason ?? 'no reason given'}`}</dd>
            <dt>Journal files that wait</dt>
            <dd>{count(health.backlog_files)}</dd>
            <dt>Room on the disk</dt>
            <dd>{health.disk_free_bytes === undefined ? 'not known' : bytes(health.disk_free_bytes)}</dd>
            <dt>Server</dt>
            <dd>tacho {health.version ?? ''}</dd>
          </dl>
        </Card>
      </div>
    </div>
  );
}

function CheckpointCard() {
  const { name } = useLogPlace();
  const { data: text, error, refresh } = useCheckpoint(name);
  const head = text === undefined ? undefined : parseNote(text);
  return (
    <Card
      title="Published checkpoint"
      width="w6"
      aside={text !== undefined && <Copy text={text} what="the checkpoint" />}
    >
      {error && <Failure error={error} retry={refresh} />}
      {text === undefined && !error && <Waiting what="the checkpoint" />}
      {text !== undefined && (
        <div class="stack">
          <dl class="facts">
            <dt>Size</dt>
            <dd>{head ? `${count(head.size)} entries` : 'it does not read as a checkpoint'}</dd>
            <dt>Root</dt>
            <dd class="mono">{head?.root}</dd>
            <dt>Signatures</dt>
            <dd>{head?.signatures.length ?? 0}</dd>
          </dl>
          <pre class="code" tabIndex={0}>
            {text}
          </pre>
          <p class="small soft">
            Keep it, and <code>tacho verify --since FILE</code> holds the log to it on another computer.
          </p>
        </div>
      )}
    </Card>
  );
}

function LedgerCard() {
  const { name } = useLogPlace();
  const { data, error, refresh } = useLedger(name);
  return (
    <Card title="What the log did to itself" width="w6">
      {error && <Failure error={error} retry={refresh} />}
      {!data && !error && <Waiting what="the ledger" />}
      {data?.ledger.length === 0 && (
        <Empty icon="lifecycle" title="Nothing yet">
          Segments, expiries, erasures and holds are announced here.
        </Empty>
      )}
      {data && data.ledger.length > 0 && (
        <div class="stack">
          <p class="soft small">
            {count(data.ledger.length)} announcements of segments, expiries, erasures, holds and keys; the newest last.
          </p>
          <ul class="mono small">
            {data.ledger.slice(-12).map((document) => (
              <li key={document}>{document}</li>
            ))}
          </ul>
        </div>
      )}
    </Card>
  );
}
