// An identity provider for the tests: oidc-provider, with people and keys that are made up here.
// PORT, KEY (the id of its key), BACK (where people are sent back to), AFTER (where to, once signed out) and OUT
// (where it tells of that itself). EXTERNAL is where apps have people sent back to, APP where its own client does: "portal".
import { generateKeyPairSync } from "node:crypto";
import { Provider } from "oidc-provider";

const { PORT, KEY, BACK, AFTER, OUT, EXTERNAL, APP } = process.env;
const issuer = `http://localhost:${PORT}`;
const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const key = { ...privateKey.export({ format: "jwk" }), kid: KEY, use: "sig", alg: "ES256" };

// Whoever signs in is known by what they type. What the provider says of them beside their name is told to it
// by GET /told?who=kim&marks=nurses,unverified.
const told = new Map();
const claims = (name) => {
  const marks = told.get(name) || [];
  return {
    sub: name,
    email: `${name}@clinic.example.org`,
    email_verified: !marks.includes("unverified"),
    given_name: name[0].toUpperCase() + name.slice(1),
    family_name: "Ash",
    groups: marks.filter((mark) => mark !== "unverified"),
  };
};

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "threadwell",
      client_secret: "a secret / with: signs & +%",
      redirect_uris: [BACK, EXTERNAL],
      post_logout_redirect_uris: [AFTER],
      id_token_signed_response_alg: "ES256",
      backchannel_logout_uri: OUT,
      backchannel_logout_session_required: true,
    },
    ...["portal", "stranger"].map((id) => ({
      client_id: id,
      redirect_uris: [APP],
      token_endpoint_auth_method: "none",
      id_token_signed_response_alg: "ES256",
    })),
  ],
  jwks: { keys: [key] },
  cookies: { keys: ["only for tests"] },
  claims: { openid: ["sub", "groups"], email: ["email", "email_verified"], profile: ["given_name", "family_name"] },
  findAccount: (_, id) => ({ accountId: id, claims: () => claims(id) }),
  pkce: { required: () => true },
  features: { devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true }, introspection: { enabled: true }, backchannelLogout: { enabled: true } },
  // By itself it calls nobody on this machine.
  fetch: (url, options) => fetch(url, { ...options, dispatcher: undefined }),
  ttl: { Session: 3600, Grant: 3600, Interaction: 600, AccessToken: 600, IdToken: 600 },
});

provider.use(async (ctx, next) => {
  if (ctx.path !== "/told") return next();
  told.set(ctx.query.who, ctx.query.marks.split(","));
  ctx.body = "";
});

provider.listen(Number(PORT), "127.0.0.1", () => console.log("listening"));
