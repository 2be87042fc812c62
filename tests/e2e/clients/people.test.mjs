// People sign in with @medplum/core: an invitation, a password, a second factor, a new password.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { before, test } from 'node:test';
import { BASE_URL, getStatus, login, newClient, refused } from './medplum.mjs';

// What the library takes from the browser to sign people in, where it has no S256 else.
globalThis.window ??= globalThis;
globalThis.location ??= { origin: BASE_URL };

let admin;
let count = 0;
const PASSWORD = 'four walls and a garden';
const NEW = 'pelican-orbit-mustard';
const LINK = 'https://threadwell.dev/fhir/StructureDefinition/set-password-url';

before(async () => {
  ({ medplum: admin } = await login());
});

async function invited(more = {}) {
  const email = `person-${Date.now()}-${(count += 1)}@clinic.example.org`;
  const membership = await admin.invite(admin.getProject().id, {
    resourceType: 'Practitioner',
    firstName: 'Robin',
    lastName: 'Ash',
    email,
    sendEmail: false,
    ...more,
  });
  const link = membership.extension.find((one) => one.url === LINK).valueUrl;
  const [id, secret] = link.split('/').slice(-2);
  await newClient().post('auth/setpassword', { id, secret, password: PASSWORD });
  return { email, membership, id, secret };
}

async function signedIn(email, password = PASSWORD, more = {}) {
  const medplum = newClient();
  const response = await medplum.startLogin({ email, password, ...more });
  const profile = await medplum.processCode(response.code);
  return { medplum, profile };
}

// RFC 6238, from the secret in base32.
function totp(secret, at = Date.now()) {
  const bits = [...secret].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30000)));
  const hash = createHmac('sha1', key).update(counter).digest();
  const number = hash.readUInt32BE(hash[19] & 15) & 0x7fffffff;
  return String(number % 1000000).padStart(6, '0');
}

test('who is invited sets a password once, signs in, and is who they are', async () => {
  const { email, membership, id, secret } = await invited();
  assert.equal(membership.resourceType, 'ProjectMembership');
  const again = newClient().post('auth/setpassword', { id, secret, password: NEW });
  assert.equal(await refused(again, getStatus), 400);
  const { medplum, profile } = await signedIn(email);
  assert.equal(`${profile.resourceType}/${profile.id}`, membership.profile.reference);
  assert.equal(medplum.getProjectMembership().id, membership.id);
  assert.equal(medplum.getProjectMembership().user.reference, membership.user.reference);
  assert.equal(medplum.getActiveLogin().project.reference, `Project/${admin.getProject().id}`);
  const made = await medplum.createResource({ resourceType: 'Patient', name: [{ family: 'Ash' }] });
  assert.equal((await medplum.readResource('Patient', made.id)).meta.author.reference, membership.profile.reference);
  await medplum.signOut();
  assert.equal(medplum.getProfile(), undefined);
});

test('what is wrong is refused with words', async () => {
  const { email } = await invited();
  await assert.rejects(signedIn(email, 'wrong'), /password is wrong/);
  await assert.rejects(signedIn(`nobody-${email}`), /password is wrong/);
  await assert.rejects(invited({ email }), /invited already/);
  await assert.rejects(invited({ membership: { accessPolicy: { reference: 'AccessPolicy/none' } } }), /no policy/);
});

test('two people do not see each other’s threads', async () => {
  const policy = { membership: { accessPolicy: { reference: 'AccessPolicy/participant' } } };
  const [one, other] = [await invited(policy), await invited(policy)];
  const threads = [];
  for (const { membership } of [one, other]) {
    threads.push(
      await admin.createResource({
        resourceType: 'Communication',
        status: 'in-progress',
        topic: { text: 'Blood pressure' },
        recipient: [{ reference: membership.profile.reference }],
      })
    );
  }
  for (const [at, person] of [one, other].entries()) {
    const { medplum } = await signedIn(person.email);
    const seen = await medplum.searchResources('Communication', 'part-of:missing=true');
    assert.deepEqual(seen.map((thread) => thread.id), [threads[at].id]);
    assert.equal(await refused(medplum.readResource('Communication', threads[1 - at].id), getStatus), 404);
    const project = medplum.getProject().id;
    assert.equal(await refused(medplum.invite(project, { resourceType: 'Practitioner', email: 'x@example.org' }), getStatus), 403);
    assert.equal(await refused(medplum.search('ProjectMembership'), getStatus), 403);
  }
});

test('with remember the login is refreshed', async () => {
  const { email } = await invited();
  const { medplum } = await signedIn(email, PASSWORD, { remember: true });
  const before = medplum.getActiveLogin();
  assert.ok(before.refreshToken);
  await medplum.refresh(Infinity);
  const after = medplum.getActiveLogin();
  assert.notEqual(after.refreshToken, before.refreshToken);
  await medplum.search('Patient', '_count=1');
});

test('a second factor is asked for, and its codes work once', async () => {
  const { email } = await invited();
  const { medplum } = await signedIn(email);
  const status = await medplum.get('auth/mfa/status');
  assert.equal(status.enrolled, false);
  assert.match(status.enrollQrCode, /^data:image\/png/);
  const secret = new URL(status.enrollUri).searchParams.get('secret');
  assert.equal(await refused(medplum.post('auth/mfa/enroll', { token: '000000' }), getStatus), 400);
  const { recoveryCodes } = await medplum.post('auth/mfa/enroll', { token: totp(secret) });
  assert.equal(recoveryCodes.length, 10);
  const other = newClient();
  const begun = await other.startLogin({ email, password: PASSWORD });
  assert.deepEqual([begun.mfaRequired, begun.code], [true, undefined]);
  const verify = (token) => other.post('auth/mfa/verify', { login: begun.login, token });
  assert.equal(await refused(verify(totp(secret)), getStatus), 400);
  assert.equal((await other.get(`auth/login/${begun.login}`)).mfaRequired, true);
  const { code } = await verify(recoveryCodes[0]);
  assert.equal((await other.processCode(code)).resourceType, 'Practitioner');
  await other.post('auth/mfa/disable', { token: totp(secret, Date.now() + 30000) });
  assert.equal((await signedIn(email)).profile.resourceType, 'Practitioner');
});

test('who has several memberships says which', async () => {
  const { email, membership } = await invited();
  const patient = await admin.createResource({ resourceType: 'Patient', name: [{ family: 'Ash' }] });
  const second = await admin.invite(admin.getProject().id, {
    resourceType: 'Patient',
    email,
    sendEmail: false,
    membership: { profile: { reference: `Patient/${patient.id}` } },
  });
  const medplum = newClient();
  const { login: id, memberships } = await medplum.startLogin({ email, password: PASSWORD });
  assert.deepEqual(memberships.map((one) => one.id), [membership.id, second.id]);
  const { code } = await medplum.post('auth/profile', { login: id, profile: second.id });
  assert.equal((await medplum.processCode(code)).id, patient.id);
  const again = medplum.post('auth/profile', { login: id, profile: membership.id });
  assert.equal(await refused(again, getStatus), 400);
});

test('a changed password ends every other login', async () => {
  const { email } = await invited();
  const [here, there] = [await signedIn(email), await signedIn(email)];
  const change = (oldPassword, newPassword) => here.medplum.post('auth/changepassword', { oldPassword, newPassword });
  assert.equal(await refused(change('wrong', NEW), getStatus), 400);
  assert.equal(await refused(change(PASSWORD, 'short'), getStatus), 400);
  assert.equal((await here.medplum.get('auth/me')).security.sessions.length, 2);
  await change(PASSWORD, NEW);
  await here.medplum.search('Patient', '_count=1');
  await new Promise((done) => setTimeout(done, 300));
  assert.equal(await refused(there.medplum.search('Patient', '_count=1'), getStatus), 401);
  await assert.rejects(signedIn(email), /password is wrong/);
  assert.ok((await signedIn(email, NEW)).profile);
});

test('administrators see accounts', async () => {
  const { email, membership } = await invited();
  const [user] = await admin.searchResources('User', { email });
  assert.equal(`User/${user.id}`, membership.user.reference);
  assert.equal(JSON.stringify(user).includes('argon2'), false);
  const found = await admin.searchResources('ProjectMembership', { user: `User/${user.id}` });
  assert.deepEqual(found.map((one) => one.id), [membership.id]);
  assert.equal((await admin.readResource('ProjectMembership', membership.id)).admin, false);
});

test('an administrator acts for a member, and their writes name both', async () => {
  const { membership } = await invited();
  const headers = { 'X-Medplum': 'extended', 'X-Medplum-On-Behalf-Of': `ProjectMembership/${membership.id}` };
  const made = await admin.createResource({ resourceType: 'Patient', name: [{ family: 'Birch' }] }, { headers });
  assert.equal(made.meta.onBehalfOf.reference, membership.profile.reference);
  assert.match(made.meta.author.reference, /^ClientApplication\//);
  const me = await admin.get('auth/me', { headers });
  assert.equal(me.membership.id, membership.id);
  const nobody = { headers: { 'X-Medplum-On-Behalf-Of': 'ProjectMembership/nobody' } };
  assert.equal(await refused(admin.readResource('Patient', made.id, nobody), getStatus), 403);
});

test('asking for another password tells nobody who has an account', async () => {
  const { email } = await invited();
  for (const asked of [email, `nobody-${email}`]) {
    const outcome = await newClient().post('auth/resetpassword', { email: asked });
    assert.equal(outcome.id, 'ok');
  }
  assert.equal(typeof BASE_URL, 'string');
});
