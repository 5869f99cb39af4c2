import { startHttpResponder } from './http-responder.ts';

/** An address where nothing listens: that of a server which has just ended. `fetch` refuses the well-known ports. */
export async function closedEndpoint(): Promise<string> {
  await using server = await startHttpResponder(() => ({ status: 500 }));
  return server.endpoint;
}
