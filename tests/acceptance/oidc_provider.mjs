// oidc-provider, an OpenID-certified server, and an API behind it, on the loopback.
//
// `node oidc_provider.mjs NODE_MODULES JWKS [FIXED]` prints its port. Refresh tokens rotate, and one
// that comes back voids the whole consent; a signed assertion is taken once. People log in by the
// server's own forms, with any name; FIXED is the port of the redirect of the client `fixed`.
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

const [modules, jwks, fixed = '1'] = process.argv.slice(2);
const { default: Provider } = await import(
  pathToFileURL(`${modules}/oidc-provider/lib/index.js`).href
);
const SECRET = 's3cret: a+b/c%41=';
const PRIVATE = ['code', 'code_verifier', 'device_code', 'access_token', 'refresh_token', 'id_token'];
const asked = [];
const handed = [];
const expired = new Set();

const server = createServer();
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const { port } = server.address();
const plain = { redirect_uris: [], response_types: [], grant_types: ['client_credentials'] };
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    { ...plain, client_id: 'machine', client_secret: SECRET },
    {
      ...plain,
      client_id: 'signer',
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: JSON.parse(jwks),
    },
    {
      client_id: 'person',
      client_secret: SECRET,
      token_endpoint_auth_method: 'client_secret_post',
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: ['http://127.0.0.1/taken'],
    },
    {
      client_id: 'native',
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: ['http://127.0.0.1/callback'],
    },
    {
      client_id: 'fixed',
      client_secret: SECRET,
      application_type: 'native',
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: [`http://localhost:${fixed}/done/here`],
    },
    {
      ...plain,
      client_id: 'television',
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
    },
  ],
  features: { clientCredentials: { enabled: true }, deviceFlow: { enabled: true } },
  pkce: { required: (_, client) => ['native', 'fixed'].includes(client.clientId) },
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
  rotateRefreshToken: true,
  scopes: ['openid', 'offline_access', 'read'],
  ttl: { AccessToken: 300, ClientCredentials: 300, Grant: 3600, RefreshToken: 3600 },
});
provider.use(async (ctx, next) => {
  await next();
  if (ctx.path !== '/token') return;
  asked.push([ctx.oidc?.params?.grant_type, ctx.status]);
  const seen = { ...ctx.oidc?.params, ...ctx.body };
  handed.push(...PRIVATE.map((name) => seen[name]).filter(Boolean));
});
const answerOAuth = provider.callback();

// What a person's consent leaves behind.
async function consent() {
  const grant = new provider.Grant({ clientId: 'person', accountId: 'ann' });
  grant.addOIDCScope('openid offline_access');
  const token = new provider.RefreshToken({
    accountId: 'ann',
    authTime: Math.floor(Date.now() / 1000),
    claims: {},
    client: await provider.Client.find('person'),
    grantId: await grant.save(),
    gty: 'authorization_code',
    scope: 'openid offline_access',
  });
  return token.save();
}

async function isGood(value) {
  if (!value || expired.has(value)) return false;
  const kinds = [provider.AccessToken, provider.ClientCredentials];
  const found = await Promise.all(kinds.map((kind) => kind.find(value)));
  return found.some((token) => token?.isValid);
}

const good = new Set();
server.on('request', async (request, response) => {
  const tell = (status, body) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  };
  const value = (request.headers.authorization ?? '').replace(/^Bearer /, '');
  if (request.url === '/admin/asked') return tell(200, asked);
  if (request.url === '/admin/handed') return tell(200, handed);
  if (request.url === '/admin/consent') return tell(200, await consent());
  if (request.url === '/admin/expire') {
    good.forEach((token) => expired.add(token));
    return tell(200, null);
  }
  if (!request.url.startsWith('/api/')) return answerOAuth(request, response);
  if (!(await isGood(value))) return tell(401, { message: 'who are you?' });
  good.add(value);
  return tell(200, [{ id: 1 }, { id: 2 }]);
});
console.log(port);
