// Tokens are kept by the server's own machine and shown by no route: a token that could list tokens
// would be worth stealing.
import { useLogPlace } from '../../hooks/log';

export function Tokens() {
  const { may } = useLogPlace();
  return (
    <div class="stack pad">
      <p>Tokens are made, listed and revoked where the server runs:</p>
      <pre class="code">
        tacho token create audit-2026 --role auditor --expires 90d{'\n'}tacho token list{'\n'}tacho token revoke ID
      </pre>
      <p class="soft">What you may do in this log: {[...may].join(', ')}.</p>
    </div>
  );
}
