// A button behind which a file is made: it says that it is at it, and why nothing came of it.
import { useState } from 'preact/hooks';
import { Icon } from './Icon';
import { Failure } from './States';

interface Props {
  label: string;
  title?: string;
  fetch: () => Promise<void>;
  isPrimary?: boolean;
}

export function Download({ label, title, fetch, isPrimary = false }: Props) {
  const [state, setState] = useState<{ isBusy: boolean; error?: Error }>({ isBusy: false });
  const take = async (): Promise<void> => {
    setState({ isBusy: true });
    try {
      await fetch();
      setState({ isBusy: false });
    } catch (error) {
      setState({ isBusy: false, error: error as Error });
    }
  };
  return (
    <>
      <button
        type="button"
        class={isPrimary ? 'button primary' : 'button'}
        title={title}
        disabled={state.isBusy}
        aria-busy={state.isBusy}
        onClick={() => void take()}
      >
        <Icon name="download" />
        {label}
      </button>
      {state.error && <Failure error={state.error} />}
    </>
  );
}
