// Two organisations on one server, and what an administrator keeps of clients, policies and members.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { BASE_URL, getStatus, login, newClient, refused } from './medplum.mjs';

// What the library takes from the browser to sign people in, where it has no S256 else.
globalThis.window ??= globalThis;
globalThis.location ??= { origin: BASE_URL };

const { OTHER_CLIENT_ID, OTHER_CLIENT_SECRET, OTHER_PROJECT } = process.env;
const PASSWORD = 'four walls and a garden';
const LINK = 'https://threadwell.dev/fhir/StructureDefinition/set-password-url';

let here;
let there;

before(async () => {
  ({ medplum: here } = await login());
  there = newClient();
  await there.startClientLogin(OTHER_CLIENT_ID, OTHER_CLIENT_SECRET);
});

async function asClient(client) {
  const medplum = newClient();
  await medplum.startClientLogin(client.id, client.secret);
  return medplum;
}

async function invited(admin, email) {
  const membership = await admin.invite(admin.getProject().id, {
    resourceType: 'Practitioner',
    firstName: 'Mo',
    lastName: 'Adeyemi',
    email,
    sendEmail: false,
  });
  const link = membership.extension.find((one) => one.url === LINK).valueUrl;
  const [id, secret] = link.split('/').slice(-2);
  await newClient().post('auth/setpassword', { id, secret, password: PASSWORD });
  return membership;
}

test('two projects do not see each other', async () => {
  assert.equal(there.getProject().id, OTHER_PROJECT);
  assert.notEqual(here.getProject().id, OTHER_PROJECT);
  const patient = await here.createResource({ resourceType: 'Patient', name: [{ family: 'Ash' }] });
  assert.equal(await refused(there.readResource('Patient', patient.id), getStatus), 404);
  assert.equal((await there.searchResources('Patient')).length, 0);
  const other = here.getProject().id;
  assert.equal(await refused(there.post(`admin/projects/${other}/client`, { name: 'x' }), getStatus), 404);
  const projects = await there.searchResources('Project');
  assert.deepEqual(projects.map((one) => one.id), [OTHER_PROJECT]);
});

test('who works in two chooses after the password', async () => {
  const email = `mo-${Date.now()}@clinic.example.org`;
  const memberships = [await invited(here, email), await invited(there, email)];
  for (const [at, admin] of [here, there].entries()) {
    const medplum = newClient();
    const response = await medplum.startLogin({ email, password: PASSWORD });
    assert.equal(response.code, undefined);
    const shown = response.memberships.map((one) => one.project.display);
    assert.equal(new Set(shown).size, 2);
    const chosen = await medplum.post('auth/profile', { login: response.login, profile: memberships[at].id });
    await medplum.processCode(chosen.code);
    assert.equal(medplum.getProject().id, admin.getProject().id);
    assert.equal(medplum.getProjectMembership().id, memberships[at].id);
  }
});

test('a client and its policy are resources, and hold at once', async () => {
  const policy = await here.createResource({
    resourceType: 'AccessPolicy',
    name: 'patients alone',
    resource: [{ resourceType: 'Patient' }],
  });
  const client = await here.createResource({ resourceType: 'ClientApplication', name: 'letters' });
  assert.ok(client.secret);
  const found = await here.searchOne('ClientApplication', { name: 'letters' });
  assert.deepEqual([found.id, found.secret], [client.id, undefined]);
  const limited = await asClient(client);
  await limited.searchResources('Encounter');
  const membership = await here.searchOne('ProjectMembership', { profile: `ClientApplication/${client.id}` });
  const access = [{ policy: { reference: `AccessPolicy/${policy.id}` } }];
  await here.updateResource({ ...membership, access });
  await limited.searchResources('Patient');
  assert.equal(await refused(limited.search('Encounter'), getStatus), 403);
  await here.updateResource({ ...policy, resource: [{ resourceType: 'Encounter' }] });
  await limited.searchResources('Encounter');
  assert.equal(await refused(limited.search('Patient'), getStatus), 403);
  for (const type of ['ClientApplication', 'AccessPolicy', 'ProjectMembership', 'User', 'Project']) {
    assert.equal(await refused(limited.search(type), getStatus), 403, type);
  }
  await here.patchResource('ClientApplication', client.id, [{ op: 'replace', path: '/name', value: 'mail' }]);
  assert.equal((await here.readResource('ClientApplication', client.id)).name, 'mail');
  await here.deleteResource('ClientApplication', client.id);
  // The library asks for another token then, and is told that there is no such client.
  assert.equal(await refused(limited.search('Encounter'), getStatus), 400);
  await here.deleteResource('AccessPolicy', policy.id);
  assert.equal(await refused(here.readResource('AccessPolicy', policy.id), getStatus), 404);
});
