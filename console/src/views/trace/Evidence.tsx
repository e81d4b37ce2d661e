// Evidence to hand over: every record of the trace with its proof, in one file that checks itself.
import { useState } from 'preact/hooks';
import { Segments } from '../../components/Choice';
import { Download } from '../../components/Download';
import { Alert } from '../../components/States';
import { downloadBundle } from '../../hooks/download';
import { useLogPlace } from '../../hooks/log';

const CONTENT = [
  { id: 'content', label: 'With content' },
  { id: 'metadata', label: 'Metadata only' },
];
const FORMS = [
  { id: 'html', label: 'HTML page', title: 'Opens in any browser, offline, and checks itself' },
  { id: 'zip', label: 'ZIP', title: 'The page, the text, and a proof for each entry' },
  { id: 'json', label: 'JSON', title: 'The text alone, for programs' },
];

export function Evidence({ kind, id }: { kind: 'traces' | 'sessions'; id: string }) {
  const { name, may } = useLogPlace();
  const [content, setContent] = useState(may.has('ReadContent') ? 'content' : 'metadata');
  const subject = { kind: kind === 'sessions' ? ('session' as const) : ('trace' as const), id };
  return (
    <div class="stack pad">
      <p>
        One file with every record of this {subject.kind}, a proof for each, the signed checkpoint, and what shows that
        none was left out. Whoever gets it opens it and sees whether it holds, without this server and without a
        network; <code>tacho verify</code> checks the same file.
      </p>
      <div class="line">
        {may.has('ReadContent') && (
          <Segments label="What goes into it" options={CONTENT} value={content} choose={setContent} />
        )}
        {FORMS.map((form, at) => (
          <Download
            key={form.id}
            label={form.label}
            title={form.title}
            isPrimary={at === 0}
            fetch={() => downloadBundle(name, subject, form.id, content === 'content')}
          />
        ))}
      </div>
      <Alert tone="warn">
        It is not encrypted. The log records who took it, before it leaves. Tell whoever gets it the log's key by
        another way: a key that comes with evidence proves nothing.
      </Alert>
    </div>
  );
}
