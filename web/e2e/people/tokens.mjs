// Tokens for programs, and teams, against a server where people sign in.
export default [1280, 390].flatMap((width) => [
  {
    name: `keyboard: a token is made, shown once, opens the API and is revoked, ${width} wide`,
    async run(t) {
      const page = await t.open('/settings/tokens', { width });
      const name = `program ${width}`;
      await page.getByRole('button', { name: 'Make a token' }).first().waitFor();
      await page.keyboard.press('n');
      const dialog = page.getByRole('dialog', { name: 'Make a token' });
      await dialog.getByLabel('Name').waitFor();
      await t.axe(page, `making a token, ${width}`);
      await dialog.getByLabel('Name').fill(name);
      await page.keyboard.press('Enter');
      await page.getByText('It is not shown again').waitFor();
      const secret = (await page.getByLabel('token', { exact: true }).textContent())?.trim() ?? '';
      t.ok(secret.startsWith('rvt_'), 'the token is shown');
      const ask = async () => (await fetch(`${t.base}/api/v1/runs?limit=1`, { headers: { authorization: `Bearer ${secret}` } })).status;
      t.equal(await ask(), 200, 'what the token opens');
      const row = page.getByRole('row', { name: new RegExp(name) });
      await row.getByRole('button', { name: 'Revoke' }).focus();
      await page.keyboard.press('Enter');
      await row.getByRole('button', { name: 'Revoke now' }).focus();
      await page.keyboard.press('Enter');
      await row.getByText('revoked').waitFor();
      t.equal(await ask(), 401, 'a revoked token');
      await page.reload();
      await page.getByRole('row', { name: new RegExp(name) }).waitFor();
      t.equal(await page.getByText(secret).count(), 0, 'the token after a reload');
    },
  },
  {
    name: `keyboard: a team is added, ${width} wide`,
    async run(t) {
      const page = await t.open('/settings/teams', { width });
      await page.getByRole('button', { name: 'Add a team' }).first().waitFor();
      await page.keyboard.press('n');
      const dialog = page.getByRole('dialog', { name: 'Add a team' });
      await dialog.getByLabel('Name').waitFor();
      await dialog.getByLabel('Name').fill(`team-${width}`);
      await page.keyboard.press('Enter');
      await page.getByRole('row', { name: new RegExp(`team-${width}`) }).waitFor();
      await t.axe(page, `teams, ${width}`);
    },
  },
]);
