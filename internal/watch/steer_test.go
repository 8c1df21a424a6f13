package watch

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"reeve/internal/activity"
	"reeve/internal/finding"
)

// sends lets the door decide a call of an agent that proved who it is, with where
// its recipient came from.
func (x *world) sends(run activity.RunID, source, tool string, first bool) {
	x.n++
	context := fmt.Sprintf(`{"context":{"destinations":{"all":["a***@shop.example"]}},"door":{"origins":[]},"origins":[{"path":"/to","from":0,"to":3,"kind":"email","entity":"a***@shop.example","source":%q,"tool":%q,"first":%v},{"path":"/id","kind":"id","entity":"7","source":"tool"}]}`, source, tool, first)
	x.w.Decided(&activity.Decision{
		ID: fmt.Sprintf("dec_%d", x.n), At: x.now.UnixNano(), Agent: "mailer", Registered: true, Credential: "agent_key", Team: "core", Environment: "production",
		Run: run, Step: activity.StepID(x.id()), Resource: "mail.send", Verdict: activity.VerdictAllow, Context: []byte(context),
	})
	x.flush()
}

// A run whose recipient only a tool's result named, on a way on which none ever came,
// looks steered; the agent's own ways do not, a noise asks for more, and a restart
// forgets nothing.
func TestSteered(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "watch")
	x := newWorld(t, func(o *Options) { o.File = file })
	for range 40 { // its user names whom it writes to, and a book of addresses does
		r := x.run("mailer")
		x.sends(r.id, "user", "", false)
		x.sends(r.id, "tool", "book.find", false)
		r.step(activity.KindTool, "mail.send", 1e6, nil)
		r.end(false)
	}
	if got := x.k.of("hijack"); len(got) != 0 {
		t.Fatalf("its own ways are told: %+v", got)
	}
	r := x.run("mailer")
	x.sends(r.id, "tool", "inbox.read", true)
	got := x.k.of("hijack")
	if len(got) != 1 || !got[0].Authenticated || !strings.Contains(got[0].Text, "was named by a result of inbox.read alone, and the agent never sent anything there") || len(got[0].Runs) != 1 || got[0].Severity != finding.Warning {
		t.Fatalf("%+v", got)
	}
	x.sends(r.id, "tool", "inbox.read", true) // of the same run: told already
	r.end(false)
	if n := len(x.k.of("hijack")); n != 1 {
		t.Errorf("told %d times of one run", n)
	}
	// What looked steered was not learned: the next run with it is told too.
	r = x.run("mailer")
	x.sends(r.id, "tool", "inbox.read", true)
	r.end(false)
	if n := len(x.k.of("hijack")); n != 2 {
		t.Errorf("after one such run %d are told", n)
	}
	x.w.savedAt = 0
	x.w.save()
	y := newWorld(t, func(o *Options) { o.File = file })
	y.n = 1 << 40
	y.k.noise = finding.Learned{Noise: 3}
	r = y.run("mailer")
	y.sends(r.id, "tool", "inbox.read", true)
	r.end(false)
	if got := y.k.of("hijack"); len(got) != 0 {
		t.Errorf("called noise three times, and told: %+v", got)
	}
	y.k.noise = finding.Learned{}
	r = y.run("mailer")
	y.sends(r.id, "tool", "inbox.read", true)
	if got := y.k.of("hijack"); len(got) != 1 {
		t.Errorf("a restart forgot the agent's ways: %+v", got)
	}
}

// What is no list of origins is none.
func FuzzOrigins(f *testing.F) {
	for _, s := range []string{"", `,"origins":`, `,"origins":[{"kind":"email","source":"tool"}]}`, `,"origins":[{"kind":"email","source":"unknown","path":"/a"},{]`, `,"origins":{"kind":1}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, d := range origins(raw) {
			if d.Kind == "" || d.Lost && d.From == "" && d.By == 0 {
				t.Errorf("%+v", d)
			}
		}
	})
}
