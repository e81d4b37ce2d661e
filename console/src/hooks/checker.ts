// The checker's module, loaded when somebody checks something: 250 kB that no page needs to begin with.
// It comes from where the page came from. Whoever does not trust that uses `tacho verify`.
import moduleAddress from '../../../crates/report/src/bundle/checker.wasm.gz?url';

let module: Promise<WebAssembly.Module> | undefined;

export function loadChecker(): Promise<WebAssembly.Module> {
  module ??= load().catch((error: unknown) => {
    module = undefined;
    throw error;
  });
  return module;
}

async function load(): Promise<WebAssembly.Module> {
  const response = await fetch(moduleAddress);
  if (!response.ok || !response.body) throw new Error(`the checker could not be loaded (${response.status})`);
  const plain = response.body.pipeThrough(new DecompressionStream('gzip'));
  return WebAssembly.compile(await new Response(plain).arrayBuffer());
}
