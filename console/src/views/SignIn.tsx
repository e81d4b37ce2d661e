// Signing in with a token. It is sent once and then forgotten: what stays is a cookie that no script
// can read.
import { useState } from 'preact/hooks';
import { Icon } from '../components/Icon';
import { Alert, Failure } from '../components/States';
import { useTitle } from '../hooks/screen';

interface Props {
  wasIn: boolean;
  failure: Error | undefined;
  enter: (token: string) => Promise<void>;
}

export function SignIn({ wasIn, failure, enter }: Props) {
  useTitle('Sign in');
  const [error, setError] = useState(failure);
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const field = form.elements.namedItem('token') as HTMLInputElement;
    setBusy(true);
    setError(undefined);
    try {
      await enter(field.value.trim());
    } catch (refused) {
      field.select();
      setError(refused as Error);
    }
    setBusy(false);
  };
  return (
    <main class="sign">
      <form class="card" onSubmit={(event) => void submit(event)}>
        <div class="line">
          <img src="/mark.svg" alt="" width="28" height="28" />
          <h1>Sign in to Tachograph</h1>
        </div>
        {wasIn && <Alert tone="warn">Your session has ended. Sign in to go on where you were.</Alert>}
        <label class="label">
          Token
          <input
            class="field mono"
            name="token"
            type="password"
            required
            autocomplete="current-password"
            spellcheck={false}
            autofocus
          />
        </label>
        {error && <Failure error={error} />}
        <button class="button primary" disabled={isBusy}>
          <Icon name="key" />
          {isBusy ? 'Signing in' : 'Sign in'}
        </button>
        <p class="small soft">
          <code>tacho token create NAME --role auditor</code> makes a token. It is sent once, to this server, and not
          kept in the browser.
        </p>
      </form>
    </main>
  );
}
