// The record as the API answers it.
import type { EventRecord } from '../../api/types';
import { Copy } from '../../components/Copy';
import { visible } from '../../model/visible';

export function Raw({ record }: { record: EventRecord }) {
  const text = JSON.stringify(record, null, 2);
  return (
    <div class="stack">
      <div class="line">
        <span class="soft small">As the API answers it. The bytes that were sealed stand in the proof.</span>
        <span class="push">
          <Copy text={text} what="the record" />
        </span>
      </div>
      <pre class="code" tabIndex={0}>
        {visible(text)}
      </pre>
    </div>
  );
}
