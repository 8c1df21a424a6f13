// The buttons that a server offers in its notices. Only some servers have any:
// here the demo's stories and its person switcher are pressed once each.
async function press(page, notice, label) {
  const bar = page.getByRole('status').filter({ hasText: notice });
  await bar.waitFor();
  const button = bar.getByRole('button', { name: label });
  if ((await button.count()) === 0) {
    await bar.getByRole('button', { name: /: actions$/ }).click();
    await page.getByRole('menuitem', { name: label }).click();
  } else await button.click();
}

const offered = async (t, path) => {
  for (const n of (await t.api('/notices')).items) for (const a of n.actions ?? []) if (a.path.startsWith(path)) return { notice: n.title, label: a.label };
};

export default [
  {
    name: 'notices: a story plays when its button is pressed, and its run is seen looping',
    async run(t) {
      const story = await offered(t, '/x/demo/play/runaway');
      if (!story) return;
      const since = Date.now();
      const page = await t.open('/');
      const [answer] = await Promise.all([page.waitForResponse((r) => r.url().includes('/x/demo/play/runaway')), press(page, story.notice, story.label)]);
      t.equal(answer.status(), 202, 'the answer');
      const { story: name } = await answer.json();
      t.equal(name, 'runaway', 'the story');
      // What it does is on the page some seconds later: an agent that searches over and over.
      await page.goto(`${t.base}/runs?q=${encodeURIComponent('agent:research-agent tool_calls>=6')}`);
      for (const end = Date.now() + 60_000; ; ) {
        const { items } = await t.api('/runs?from=-5m&limit=50&agent=research-agent');
        const looping = items.find((r) => r.tool_calls >= 6 && Date.parse(r.started_at) >= since - 1000);
        if (looping) {
          await page.locator(`a[href*="${looping.id}"]`).or(page.getByTestId('fresh')).first().waitFor();
          break;
        }
        t.ok(Date.now() < end, 'no looping run began after the story was started');
        await page.waitForTimeout(250);
      }
    },
  },
  {
    name: 'notices: the person switcher signs in as somebody else, and out again',
    async run(t) {
      const who = await offered(t, '/x/demo/become/sre');
      if (!who) return;
      const page = await t.open('/');
      const before = await page.getByRole('button', { name: /^Account:/ }).getAttribute('aria-label');
      const [answer] = await Promise.all([page.waitForResponse((r) => r.url().includes('/x/demo/become/sre')), press(page, who.notice, who.label)]);
      t.equal(answer.status(), 200, 'the answer');
      await page.waitForFunction((b) => {
        const now = [...document.querySelectorAll('button[aria-label^="Account:"]')][0]?.getAttribute('aria-label');
        return now && now !== b;
      }, before);
      await page.goto(`${t.base}/runs`);
      await page.waitForSelector('[role="grid"] [role="row"][aria-rowindex] a');
      await t.axe(page, 'runs as the SRE');
    },
  },
];
