// A logged-in @medplum/core client of the server under test.
// The library wants a WebSocket at load time, which Node.js has only from version 22 on.
globalThis.WebSocket ??= (await import('ws')).default;
const { ClientStorage, getStatus, MedplumClient, MemoryStorage } = await import('@medplum/core');

export { getStatus };

export const { BASE_URL, CLIENT_ID, CLIENT_SECRET } = process.env;
export const ACT = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';

export function newClient() {
  return new MedplumClient({
    baseUrl: BASE_URL,
    storage: new ClientStorage(new MemoryStorage()),
    cacheTime: 0,
    maxRetries: 0,
  });
}

export async function login() {
  const medplum = newClient();
  const profile = await medplum.startClientLogin(CLIENT_ID, CLIENT_SECRET);
  return { medplum, profile };
}

// The HTTP status that the client library reads out of a rejected promise's outcome.
export async function refused(promise, getStatus) {
  try {
    await promise;
  } catch (error) {
    return getStatus(error.outcome);
  }
  throw new Error('the request was accepted');
}
