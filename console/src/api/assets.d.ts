// Files that are not code, by their address.
declare module '*.wasm.gz?url' {
  const address: string;
  export default address;
}
