// What a page says when there is nothing, not yet anything, or something went wrong.
import type { ComponentChildren } from 'preact';
import { Icon, type IconName } from './Icon';

export function Empty({
  icon = 'plain',
  title,
  children,
}: {
  icon?: IconName;
  title: string;
  children?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <Icon name={icon} />
      <b>{title}</b>
      {children && <p>{children}</p>}
    </div>
  );
}

export function Waiting({ what }: { what: string }) {
  return (
    <div class="wait" role="status">
      <span class="unseen">Loading {what}</span>
      <i />
      <i />
      <i />
    </div>
  );
}

/** An error in the server's own words, which say what to do; with a way to try again. */
export function Failure({ error, retry }: { error: Error; retry?: () => void }) {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return (
    <div class="alert bad" role="alert">
      <Icon name="bad" />
      <div class="stack">
        <p>
          {error.message === 'Failed to fetch' ? 'The server does not answer. Is it running?' : error.message}
          {code && <span class="soft"> ({code})</span>}
        </p>
        {retry && (
          <p>
            <button type="button" class="button" onClick={retry}>
              Try again
            </button>
          </p>
        )}
      </div>
    </div>
  );
}

export function Alert({ tone, children }: { tone: 'bad' | 'warn' | 'good'; children: ComponentChildren }) {
  return (
    <div class={`alert ${tone}`}>
      <Icon name={tone} />
      <div>{children}</div>
    </div>
  );
}
