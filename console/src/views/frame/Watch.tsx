// Says on every page when the log is no longer the one that this browser saw.
import type { LogHealth } from '../../api/types';
import { Alert } from '../../components/States';
import { useLogPlace } from '../../hooks/log';
import { paths } from '../../hooks/paths';
import { useWatch } from '../../hooks/watch';
import { visible } from '../../model/visible';

export function Watch({ health }: { health: LogHealth }) {
  const { may } = useLogPlace();
  const { why } = useWatch(health, may.has('ReadProofs'));
  if (why === undefined) return null;
  return (
    <div role="alert" class="watch">
      <Alert tone="bad">
        <b>This is not the log that this browser saw before.</b> {visible(why)}. Keep what you have;{' '}
        <a href={paths.integrity(health.name)}>Integrity</a> looks closer.
      </Alert>
    </div>
  );
}
