// Lets Vite's development server pass requests for the API on. Nothing of it is in what is built.
import { Proxy } from './proxy.mjs';

export const developmentServer = () => ({
  name: 'tachograph-development',
  apply: 'serve',
  configureServer(server) {
    const proxy = new Proxy(process.env.TACHO_URL ?? 'http://127.0.0.1:7411');
    server.middlewares.use((request, response, next) => {
      proxy.answer(request, response).then((done) => done || next(), next);
    });
  },
});
