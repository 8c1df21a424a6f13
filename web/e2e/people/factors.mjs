// Second factors and second people, against a server where people sign in.
import { createHmac } from 'node:crypto';

const password = process.env.REEVE_PASSWORD ?? 'a long enough password';

/** code is the one-time password (RFC 6238) of a base32 secret now. */
function code(secret, at = Date.now()) {
  const bits = [...secret].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const mac = createHmac('sha1', key).update(counter).digest();
  const n = mac.readUInt32BE(mac[19] & 15) & 0x7fffffff;
  return String(n % 1_000_000).padStart(6, '0');
}

/** confirm agrees to the proposal on the screen: it cannot be agreed to unread. */
async function confirm(t, page) {
  const button = page.getByRole('button', { name: 'Confirm' });
  await button.waitFor();
  t.ok(await button.isDisabled(), 'what will be done is seen before it is confirmed');
  await page.getByText('What will be done').focus();
  await page.keyboard.press('Enter');
  await page.getByText('"viewer"').waitFor();
  await button.focus();
  await page.keyboard.press('Enter');
}

let recovery = [];

export default [
  {
    name: 'keyboard: a device is added, and its recovery codes are shown once',
    async run(t) {
      const page = await t.open('/account');
      await page.getByText('No second factor.').waitFor();
      await t.axe(page, 'account without a factor');
      await page.getByRole('button', { name: 'Add a device' }).focus();
      await page.keyboard.press('Enter');
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Name').waitFor();
      await page.keyboard.type('phone');
      await dialog.getByRole('textbox', { name: 'Your password' }).fill('not the password');
      await page.keyboard.press('Enter');
      await dialog.getByText('the password is wrong').waitFor();
      await dialog.getByRole('textbox', { name: 'Your password' }).fill(password);
      await page.keyboard.press('Enter');
      await dialog.getByAltText('QR code of the secret below').waitFor();
      const secret = (await dialog.getByLabel('secret', { exact: true }).textContent()).trim();
      await t.axe(page, 'enrolment');
      await page.screenshot({ path: `${t.out}/enrol.png` });
      await dialog.getByLabel('Code that it shows now').fill(code(secret));
      await page.keyboard.press('Enter');
      await page.getByText('It is not shown again').waitFor();
      recovery = (await page.getByLabel('list of recovery codes', { exact: true }).textContent()).trim().split(/\s+/);
      t.equal(recovery.length, 10, 'recovery codes');
      await page.getByRole('row', { name: /phone/ }).getByText('shown, until').waitFor();
      for (const scheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme: scheme });
        await t.axe(page, `account with a factor, ${scheme}`);
        await page.screenshot({ path: `${t.out}/account-${scheme}.png` });
      }
    },
  },
  {
    name: 'keyboard: signing in asks for the code, at 390 wide',
    async run(t) {
      // Another browser: the password alone no longer opens.
      const context = await t.browser.newContext({ viewport: { width: 390, height: 800 } });
      t.cleanup.push(() => context.close());
      const other = await context.newPage();
      await other.goto(t.base + '/sign-in');
      await other.getByLabel('Name', { exact: true }).fill('first');
      await other.getByRole('textbox', { name: 'Password' }).fill(password);
      await other.keyboard.press('Enter');
      await other.getByLabel('Code').waitFor();
      await t.axe(other, 'sign-in with a code');
      await other.getByLabel('Code').fill(recovery[0]);
      await other.keyboard.press('Enter');
      await other.waitForSelector('nav[aria-label="Pages"]', { state: 'attached' });
    },
  },
  {
    name: 'keyboard: roles wait for a second person, who confirms in the Inbox',
    async run(t) {
      // Two admins; the second signs in here without a factor of their own.
      const second = await t.api('/people', { name: 'second', password, grants: [{ role: 'admin', team: '*', environment: '*' }] });
      t.ok(!second.waits, 'the only admin gives roles alone');
      const third = await t.api('/people', { name: 'third', password, grants: [{ role: 'viewer', team: '*', environment: '*' }] });
      t.ok(third.waits, 'with another admin, roles wait');
      const page = await t.open('/inbox');
      await page.getByText('give third the roles viewer').waitFor();
      await t.axe(page, 'inbox');
      await page.screenshot({ path: `${t.out}/inbox.png` });

      const context = await t.browser.newContext({ viewport: { width: 1280, height: 800 } });
      t.cleanup.push(() => context.close());
      const theirs = await context.newPage();
      await theirs.goto(t.base + '/sign-in?next=/inbox');
      await theirs.getByLabel('Name', { exact: true }).fill('second');
      await theirs.getByRole('textbox', { name: 'Password' }).fill(password);
      await theirs.keyboard.press('Enter');
      await confirm(t, theirs);
      await theirs.getByRole('dialog', { name: 'This needs a second factor' }).waitFor();
      await theirs.getByRole('button', { name: 'Add one under Account' }).focus();
      await theirs.keyboard.press('Enter');
      await theirs.getByRole('button', { name: 'Add a device' }).focus();
      await theirs.keyboard.press('Enter');
      const dialog = theirs.getByRole('dialog');
      await dialog.getByRole('textbox', { name: 'Your password' }).fill(password);
      await theirs.keyboard.press('Enter');
      const secret = (await dialog.getByLabel('secret', { exact: true }).textContent()).trim();
      await dialog.getByLabel('Code that it shows now').fill(code(secret));
      await theirs.keyboard.press('Enter');
      await theirs.getByText('It is not shown again').waitFor();
      await theirs.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Inbox' }).click();
      await confirm(t, theirs);
      await theirs.getByText('Nothing waits for you.').first().waitFor();
      const people = (await t.api('/people')).items;
      t.equal(people.find((p) => p.name === 'third').grants.length, 1, 'roles after the second person agreed');
    },
  },
];
