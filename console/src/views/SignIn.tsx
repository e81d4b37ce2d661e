// Signing in with a token, or with an issuer of OpenID Connect. A token is sent once and then forgotten;
// an issuer's never comes here. What stays is a cookie that no script can read.
import { useEffect, useState } from 'preact/hooks';
import { signInIssuers } from '../api/questions';
import type { SignInIssuer } from '../api/types';
import { Icon } from '../components/Icon';
import { Alert, Failure } from '../components/States';
import { useTitle } from '../hooks/screen';

/** Why nobody was signed in, by the word with which the server leads back. */
const REFUSALS: Record<string, string> = {
  unknown: 'That sign-in was not begun in this browser, or took longer than ten minutes. Begin again.',
  denied: 'The issuer did not let you in: access was denied there.',
  failed: 'The issuer ended the sign-in with an error. Try again, or ask whoever runs it.',
  unavailable: 'The issuer cannot be reached, or did not take this server for its client. Try again shortly.',
  refused: 'What the issuer said of you does not count here. Ask whoever runs this server; its log has the reason.',
  busy: 'Too many people are signing in at this moment. Try again.',
};
const WORD = 'sign_in';

/** The way to an issuer and back to where one is. */
function wayTo(issuer: SignInIssuer): string {
  const here = new URL(location.href);
  here.searchParams.delete(WORD);
  return `${issuer.address}?${new URLSearchParams({ to: here.pathname + here.search }).toString()}`;
}

interface Props {
  wasIn: boolean;
  failure: Error | undefined;
  enter: (token: string) => Promise<void>;
}

export function SignIn({ wasIn, failure, enter }: Props) {
  useTitle('Sign in');
  const [error, setError] = useState(failure);
  const [isBusy, setBusy] = useState(false);
  const [issuers, setIssuers] = useState<SignInIssuer[]>([]);
  const refusal = REFUSALS[new URLSearchParams(location.search).get(WORD) ?? ''];
  useEffect(() => {
    // Without them a token still lets in.
    signInIssuers().then(setIssuers, () => undefined);
  }, []);
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
        {refusal && <Alert tone="bad">{refusal}</Alert>}
        {issuers.map((issuer) => (
          <a class="button" key={issuer.address} href={wayTo(issuer)}>
            <Icon name="key" />
            Sign in with {issuer.name}
          </a>
        ))}
        {issuers.length > 0 && <p class="small soft">or with a token:</p>}
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
