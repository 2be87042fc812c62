// Medplum's client with an outside provider: what it is told is written as JSON.
//   outside.mjs URL exchange CLIENT TOKEN | away CLIENT AUTHORIZE BACK | back CLIENT CODE VERIFIER
import { webcrypto } from "node:crypto";

globalThis.WebSocket ??= (await import("ws")).default;
const { MedplumClient } = await import("@medplum/core");

const [url, what, client, given, more] = process.argv.slice(2);
// What a browser has and Node has not.
const kept = new Map();
globalThis.crypto ??= webcrypto;
globalThis.sessionStorage = {
  getItem: (name) => kept.get(name) ?? null,
  setItem: (name, value) => kept.set(name, value),
  removeItem: (name) => kept.delete(name),
};
globalThis.localStorage = globalThis.sessionStorage;
let assigned = "";
globalThis.window = globalThis;
globalThis.location = { assign: (to) => (assigned = to), origin: "http://localhost:9", search: "" };

const medplum = new MedplumClient({ baseUrl: `${url}/`, clientId: client });
const name = (profile) => `${profile.name[0].given[0]} ${profile.name[0].family}`;
const ways = {
  async exchange() {
    const profile = await medplum.exchangeExternalAccessToken(given);
    const before = medplum.getAccessToken();
    await medplum.refreshIfExpired(1e9);
    return { name: name(profile), refreshed: medplum.getAccessToken() !== before };
  },
  async away() {
    await medplum.signInWithExternalAuth(given, "threadwell", `${url}/auth/external`, { clientId: client, redirectUri: more });
    return { url: assigned, verifier: [...kept].find(([key]) => key.endsWith("codeVerifier"))[1] };
  },
  async back() {
    for (const key of ["codeVerifier", "@medplum:codeVerifier"]) kept.set(key, more);
    return { name: name(await medplum.processCode(given)) };
  },
};

try {
  console.log(JSON.stringify(await ways[what]()));
} catch (error) {
  console.log(JSON.stringify({ error: String(error.message) }));
}
process.exit(0);
