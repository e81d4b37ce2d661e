// Something that is done once, when somebody says so: whether it is being done, what came of it.
import { useState } from 'preact/hooks';

export interface Act<A extends unknown[], R> {
  isBusy: boolean;
  error: Error | undefined;
  done: R | undefined;
  run: (...given: A) => Promise<boolean>;
  reset: () => void;
}

export function useAct<A extends unknown[], R>(act: (...given: A) => Promise<R>): Act<A, R> {
  const [state, setState] = useState<{ isBusy: boolean; error?: Error; done?: R }>({ isBusy: false });
  const run = async (...given: A): Promise<boolean> => {
    setState({ isBusy: true });
    try {
      setState({ isBusy: false, done: await act(...given) });
      return true;
    } catch (error) {
      setState({ isBusy: false, error: error as Error });
      return false;
    }
  };
  return { isBusy: state.isBusy, error: state.error, done: state.done, run, reset: () => setState({ isBusy: false }) };
}
