package topic

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"reeve/internal/activity"
	"reeve/internal/control"
	"reeve/internal/control/controltest"
	"reeve/internal/fault"
	"reeve/internal/telemetry"
	"reeve/internal/topic/mood"
)

// house is a book with runs of its own.
type house struct {
	t       *testing.T
	db      *control.DB
	book    *Book
	asked   map[activity.RunID][]string
	rows    map[activity.RunID]activity.Run
	fails   error
	endless func() // called at each read
	reads   int
	at      time.Time
	n       byte
}

func (h *house) Asked(_ context.Context, id activity.RunID) ([]string, bool, error) {
	if h.reads++; h.endless != nil {
		h.endless()
	}
	texts, ok := h.asked[id]
	return texts, ok, h.fails
}

func (h *house) Ended(_ context.Context, since time.Time, limit int) (out []activity.Run, err error) {
	for _, r := range h.rows {
		if r.Start >= since.UnixNano() && len(out) < limit {
			out = append(out, r)
		}
	}
	return out, nil
}

func open(t *testing.T) *house {
	t.Helper()
	db, err := controltest.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	h := &house{t: t, db: db, asked: map[activity.RunID][]string{}, rows: map[activity.RunID]activity.Run{}, at: time.Date(2027, 3, 1, 9, 0, 0, 0, time.UTC)}
	h.again()
	return h
}

// again opens the book anew, as a process that starts does.
func (h *house) again() {
	h.t.Helper()
	var err error
	if h.book, err = New(h.t.Context(), Options{DB: h.db, Prompts: h, Key: make([]byte, 32), Now: func() time.Time { return h.at }, Rest: -1}); err != nil {
		h.t.Fatal(err)
	}
}

// run tells of a run that ended, a minute after the one before.
func (h *house) run(session string, texts []string, more ...func(*activity.Run)) activity.RunID {
	h.at = h.at.Add(time.Minute)
	h.n++
	r := activity.Run{ID: activity.RunID{1, h.n, byte(len(h.rows) >> 8), byte(len(h.rows))}, Agent: "support", Version: "v1", Team: "care", Environment: "production", Session: session, Status: activity.RunDone, Start: h.at.UnixNano(), Outcome: activity.OutcomeVerified, Cost: activity.Cost{Nanos: 2_000_000, Basis: activity.CostBook}}
	for _, m := range more {
		m(&r)
	}
	h.asked[r.ID], h.rows[r.ID] = texts, r
	h.book.Observe(&telemetry.Write{Runs: []activity.Run{r}})
	return r.ID
}

// news tells of a run once more.
func (h *house) news(id activity.RunID, change func(*activity.Run)) {
	r := h.rows[id]
	change(&r)
	h.rows[id] = r
	h.book.Observe(&telemetry.Write{Runs: []activity.Run{r}})
}

// work looks at all that waits, and groups.
func (h *house) work() {
	h.t.Helper()
	for more := true; more; {
		var err error
		if more, err = h.book.Work(h.t.Context()); err != nil {
			h.t.Fatal(err)
		}
	}
	h.at = h.at.Add(regroupIn)
	if _, err := h.book.Work(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) filter() Filter {
	return Filter{From: h.at.Add(-48 * time.Hour), To: h.at.Add(time.Minute)}
}

func (h *house) topicOf(id activity.RunID) string {
	h.t.Helper()
	a, ok, err := h.book.OfRun(h.t.Context(), id)
	if err != nil || !ok {
		h.t.Fatalf("the run's topic: %v, %v", ok, err)
	}
	return a.Topic
}

var (
	refunds = []string{
		"I want a refund for my order", "How do I get my money back for the shoes?", "please refund the order I returned", "when will I get my refund for the returned jacket",
		"can you refund my last order, it arrived broken", "refund for a returned order please",
	}
	weather = []string{
		"what's the weather like tomorrow in Lisbon", "will it rain in Berlin on Sunday", "weather forecast for the weekend in Rome", "is it going to be sunny tomorrow in Porto", "tell me the weather in Oslo for tomorrow",
	}
)

func TestTopicsAreFound(t *testing.T) {
	t.Parallel()
	h := open(t)
	var money, sky []activity.RunID
	for i := range refunds {
		money = append(money, h.run("", refunds[i:i+1], func(r *activity.Run) {
			if i < 2 {
				r.Outcome = activity.OutcomeEscalated
			}
		}))
	}
	for i := range weather {
		sky = append(sky, h.run("", weather[i:i+1]))
	}
	lone := h.run("", []string{"transpose this sonata for bass clarinet"})
	h.work()

	a, b := h.topicOf(money[0]), h.topicOf(sky[0])
	if a == "" || b == "" || a == b {
		t.Fatalf("topics %q and %q", a, b)
	}
	if got := h.topicOf(lone); got != "" {
		t.Errorf("a prompt that is like no other has topic %s", got)
	}
	figures, err := h.book.Figures(t.Context(), h.filter())
	if err != nil {
		t.Fatal(err)
	}
	f := figures[0]
	if f.Topic != a || f.Runs < 4 || f.Known != f.Runs || f.Unanswered > 2 || f.Unanswered < 1 || math.Abs(f.Cost-.002*float64(f.Runs)) > 1e-9 || f.All != 12 {
		t.Errorf("figures %+v", f)
	}
	if last := figures[len(figures)-1]; last.Topic != "" || last.Runs < 1 {
		t.Errorf("what is not grouped: %+v", last)
	}
	tp, err := h.book.Get(t.Context(), a)
	if err != nil || !slices.Contains(tp.Words, "refund") && !slices.Contains(tp.Words, "order") {
		t.Errorf("words %v, %v", tp.Words, err)
	}
}

func TestIDsStayAcrossRestartsAndNews(t *testing.T) {
	t.Parallel()
	h := open(t)
	var first activity.RunID
	for i := range 4 {
		first = h.run("", refunds[i:i+1])
	}
	h.work()
	id := h.topicOf(first)
	if id == "" {
		t.Fatal("no topic")
	}
	h.again()
	for i := range weather {
		h.run("", weather[i:i+1])
	}
	late := h.run("", refunds[5:6])
	h.work()
	if got := h.topicOf(late); got != id {
		t.Errorf("after a restart the topic is %q, was %q", got, id)
	}
	if got := h.topicOf(first); got != id {
		t.Errorf("a run's topic became %q, was %q", got, id)
	}
}

func TestNewsOfARun(t *testing.T) {
	t.Parallel()
	h := open(t)
	id := h.run("", refunds[:1])
	h.work()
	reads := h.reads
	h.news(id, func(r *activity.Run) { r.Outcome = activity.OutcomeFailed })
	h.work()
	a, _, err := h.book.OfRun(t.Context(), id)
	if err != nil || a.Outcome != activity.OutcomeFailed || h.reads != reads {
		t.Errorf("outcome %q, %v; its text was read %d times more", a.Outcome, err, h.reads-reads)
	}
	// What a user thinks is kept, before the run is looked at and after.
	if err := h.book.Said(t.Context(), map[activity.RunID]string{id: "negative"}, 7); err != nil {
		t.Fatal(err)
	}
	early := activity.RunID{9, 9}
	if err := h.book.Said(t.Context(), map[activity.RunID]string{early: "positive"}, 9); err != nil {
		t.Fatal(err)
	}
	h.run("", refunds[1:2], func(r *activity.Run) { r.ID = early })
	h.work()
	for run, want := range map[activity.RunID]string{id: "negative", early: "positive"} {
		if a, _, err := h.book.OfRun(t.Context(), run); err != nil || a.Verdict != want {
			t.Errorf("verdict %q, %v, want %q", a.Verdict, err, want)
		}
	}
	if n, err := h.book.SaidUpTo(t.Context()); n != 9 || err != nil {
		t.Errorf("the feed is read up to %d, %v", n, err)
	}
}

func TestTestRunsAndRunningOnesAreLeftOut(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.run("", refunds[:1], func(r *activity.Run) { r.Mode = "test" })
	h.run("", refunds[:1], func(r *activity.Run) { r.Status = activity.RunRunning })
	h.work()
	if f, err := h.book.Figures(t.Context(), h.filter()); err != nil || len(f) != 0 {
		t.Errorf("figures %v, %v", f, err)
	}
}

func signsOf(t *testing.T, h *house, session string) (map[string]int, float64) {
	t.Helper()
	s, _, err := h.book.SessionOf(t.Context(), &Asked{Team: "care", Environment: "production", Session: session})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int{}
	for _, x := range s.Signs {
		out[x.Kind]++
	}
	return out, s.Score
}

func TestFrustration(t *testing.T) {
	t.Parallel()
	h := open(t)
	first := h.run("s1", []string{"Where is my order 1042, it should be here by now?"})
	h.run("s1", []string{"where's order 1042? it should have arrived already"})
	h.run("s1", []string{"No, that is not what I asked. Let me talk to a human."}, func(r *activity.Run) { r.Outcome = activity.OutcomeAbandoned })
	h.run("calm", []string{"Where is my order 7?"})
	h.run("calm", []string{"Thanks. Which colours does the rain jacket come in?"})
	h.work()
	signs, score := signsOf(t, h, "s1")
	if signs[mood.ReAsk] != 1 || signs[mood.Correction] != 1 || signs[mood.Human] != 1 || signs[mood.Left] != 1 || score < mood.Frustrated {
		t.Errorf("signs %v, score %.2f", signs, score)
	}
	if a, _, _ := h.book.OfRun(t.Context(), first); !a.AskedAgain {
		t.Error("the run that did not answer is not marked")
	}
	if signs, score := signsOf(t, h, "calm"); score != 0 {
		t.Errorf("a calm session has %v, %.2f", signs, score)
	}
	all, ok, err := h.book.Frustrations(t.Context(), h.filter(), "agent", 0)
	if err != nil || !ok || len(all) != 1 || all[0].Frustrated != 1 || all[0].Sessions != 2 {
		t.Errorf("frustrations %+v, %v", all, err)
	}
	if _, ok, _ := h.book.Frustrations(t.Context(), h.filter(), "signs; DROP TABLE topics", 0); ok {
		t.Error("split by anything")
	}
}

// Agents that send the whole conversation with each call ask nothing twice.
func TestHistoryIsNotAskedAgain(t *testing.T) {
	t.Parallel()
	h := open(t)
	turns := []string{"Where is my order 1042, please?", "And when did it leave the warehouse?", "Can I still change the address?"}
	for n := range turns {
		h.run("s", turns[:n+1])
		if n > 0 {
			h.run("s", turns[:n+1]) // a second run of the same turn
		}
	}
	h.work()
	if signs, score := signsOf(t, h, "s"); score != 0 {
		t.Errorf("signs %v", signs)
	}
	// Across a restart too, and with a window that slides.
	h.again()
	h.run("s", append(slices.Clone(turns[1:]), "Could I change the delivery address still?"))
	h.work()
	if signs, _ := signsOf(t, h, "s"); signs[mood.ReAsk] != 1 {
		t.Errorf("signs %v", signs)
	}
}

// One conversation in one run is a session of its own.
func TestAConversationInOneRun(t *testing.T) {
	t.Parallel()
	h := open(t)
	id := h.run("", []string{"How do I reset my router?", "that's wrong", "how can I reset the router??"})
	h.work()
	signs, score := signsOf(t, h, id.String())
	if signs[mood.ReAsk] != 1 || signs[mood.Correction] != 1 || score < mood.Frustrated {
		t.Errorf("signs %v, %.2f", signs, score)
	}
}

func TestPlacesAreApart(t *testing.T) {
	t.Parallel()
	h := open(t)
	other := func(r *activity.Run) { r.Team = "sales" }
	var mine, theirs activity.RunID
	for i := range 4 {
		mine, theirs = h.run("", refunds[i:i+1]), h.run("", refunds[i:i+1], other)
	}
	h.work()
	if a, b := h.topicOf(mine), h.topicOf(theirs); a == b || a == "" || b == "" {
		t.Errorf("two teams' topics are %q and %q", a, b)
	}
	f := h.filter()
	f.Visible = []Place{{Team: "sales", Environment: "*"}}
	figures, err := h.book.Figures(t.Context(), f)
	if err != nil || len(figures) != 1 || figures[0].Topic != h.topicOf(theirs) || figures[0].All != 4 {
		t.Errorf("what one team sees: %+v, %v", figures, err)
	}
	f.Visible = []Place{}
	if figures, err := h.book.Figures(t.Context(), f); err != nil || len(figures) != 0 {
		t.Errorf("what nobody may see: %+v, %v", figures, err)
	}
}

// More places than are kept in memory come back as they were.
func TestManyPlaces(t *testing.T) {
	t.Parallel()
	h := open(t)
	first := map[string]activity.RunID{}
	for round := range 2 {
		for i := range maxSpaces + 3 {
			team := fmt.Sprint("team", i)
			for k := range 3 {
				id := h.run("", refunds[3*round+k:3*round+k+1], func(r *activity.Run) { r.Team = team })
				if round == 0 {
					first[team] = id
				}
			}
			h.work()
		}
		if len(h.book.spaces) > maxSpaces {
			t.Fatalf("%d places in memory", len(h.book.spaces))
		}
	}
	n, _, err := control.One(t.Context(), h.db, func(r control.Row) (n int, err error) { return n, r.Scan(&n) }, `SELECT COUNT(*) FROM topics WHERE went_to = ''`)
	if err != nil || n > maxSpaces+3+2 {
		t.Errorf("%d topics for %d places: %v", n, maxSpaces+3, err)
	}
	if h.topicOf(first["team0"]) == "" {
		t.Error("the first place lost its topic")
	}
}

func TestFailuresAreTriedAgain(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.fails = errors.New("the store is away")
	id := h.run("", refunds[:1])
	if _, err := h.book.Work(t.Context()); err == nil || !strings.Contains(err.Error(), "away") {
		t.Fatalf("error %v", err)
	}
	h.fails = nil
	h.work()
	if a, ok, err := h.book.OfRun(t.Context(), id); !ok || err != nil || a.Near < .9 {
		t.Errorf("%+v, %v, %v", a, ok, err)
	}
	h.fails = errors.New("for good")
	h.run("", refunds[1:2])
	for range maxTries {
		_, _ = h.book.Work(t.Context())
	}
	if s := h.book.Stats(); s.Failed != 1 || s.Waiting != 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	h := open(t)
	var id activity.RunID
	for i := range 4 {
		id = h.run("", refunds[i:i+1])
	}
	h.work()
	topic := h.topicOf(id)
	who := Actor{Person: "per_1", Can: func(role, team, _ string) bool { return role == "developer" && team == "care" }}
	got, err := h.book.Rename(t.Context(), who, topic, "  Refunds ", 0)
	if err != nil || got.Title() != "Refunds" || got.Revision != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := h.book.Rename(t.Context(), who, topic, "Other", 0); !fault.Is(err, fault.KindConflict) {
		t.Errorf("an old revision: %v", err)
	}
	if _, err := h.book.Rename(t.Context(), who, topic, "a\nb", 1); !fault.Is(err, fault.KindInvalid) {
		t.Errorf("two lines: %v", err)
	}
	if _, err := h.book.Rename(t.Context(), who, "tpc_none", "x", 0); !fault.Is(err, fault.KindNotFound) {
		t.Errorf("no such topic: %v", err)
	}
	who.Can = func(string, string, string) bool { return false }
	if _, err := h.book.Rename(t.Context(), who, topic, "x", 1); !fault.Is(err, fault.KindDenied) {
		t.Errorf("nobody: %v", err)
	}
	// The name is people's: finding topics anew leaves it alone.
	h.run("", refunds[4:5])
	h.work()
	if got, err := h.book.Get(t.Context(), topic); err != nil || got.Name != "Refunds" || got.Prompts < 4 {
		t.Errorf("%+v, %v", got, err)
	}
}

// A word of fewer than three prompts is nobody's name.
func TestRareWordsNameNothing(t *testing.T) {
	t.Parallel()
	h := open(t)
	var id activity.RunID
	for i, who := range []string{"Ploetzeneder", "Quibbleworth", "Xanthopoulos", "Vandermeulen"} {
		id = h.run("", []string{fmt.Sprintf("%s for %s", refunds[i], who)})
	}
	h.work()
	topic, err := h.book.Get(t.Context(), h.topicOf(id))
	if err != nil || len(topic.Words) == 0 {
		t.Fatalf("%+v, %v", topic, err)
	}
	for _, w := range topic.Words {
		if strings.HasSuffix(w, "eder") || strings.HasPrefix(w, "quib") || strings.HasPrefix(w, "xan") {
			t.Errorf("a person's name is in %v", topic.Words)
		}
	}
}

// What one user writes in many prompts is that user's still.
func TestOneUsersWordsNameNothing(t *testing.T) {
	t.Parallel()
	h := open(t)
	var ids []activity.RunID
	for i := range 5 {
		ids = append(ids, h.run("", []string{refunds[0] + " project bluebird"}, func(r *activity.Run) { r.User = "ada" }))
		h.run(fmt.Sprint("s", i), refunds[i:i+1])
	}
	h.work()
	topic, err := h.book.Get(t.Context(), h.topicOf(ids[0]))
	if err != nil || slices.Contains(topic.Words, "bluebird") || !slices.Contains(topic.Words, "refund") {
		t.Errorf("%v, %v", topic.Words, err)
	}
	n, err := h.book.Erase(t.Context(), "", "ada")
	if err != nil || n != 5 {
		t.Errorf("%d runs erased, %v", n, err)
	}
	if _, ok, err := h.book.OfRun(t.Context(), ids[0]); ok || err != nil {
		t.Errorf("an erased run is there: %v", err)
	}
	if _, ok, err := h.book.SessionOf(t.Context(), &Asked{Team: "care", Environment: "production", Session: ids[0].String()}); ok || err != nil {
		t.Errorf("an erased session is there: %v", err)
	}
	if n, err := h.book.Erase(t.Context(), "sales", "grace"); n != 0 || err != nil {
		t.Errorf("nobody's runs: %d, %v", n, err)
	}
}

// Erased runs are forgotten with how their sessions went, whoever's they are.
func TestErasedRunsAreForgotten(t *testing.T) {
	t.Parallel()
	h := open(t)
	gone, stays := h.run("s1", []string{refunds[0] + " project bluebird"}), h.run("s2", refunds[1:2])
	h.run("s1", []string{refunds[0] + " project kingfisher"}, func(r *activity.Run) { r.User = "ada" })
	h.work()
	words := func() string {
		t.Helper()
		all, err := control.All(t.Context(), h.db, func(r control.Row) (s string, err error) { return s, r.Scan(&s) }, `SELECT words FROM topic_cells`)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(all, " ")
	}
	if !strings.Contains(words(), "bluebird") || !strings.Contains(words(), "refund") {
		t.Fatal(words())
	}
	of := map[string]bool{gone.String(): true, "run_9": true}
	for _, dry := range []bool{true, false} {
		if n, err := h.book.EraseRuns(t.Context(), of, []string{"ada", "s1"}, dry); n != 1 || err != nil {
			t.Errorf("dry %v: %d, %v", dry, n, err)
		}
		if _, ok, err := h.book.OfRun(t.Context(), gone); ok != dry || err != nil {
			t.Errorf("dry %v: it is known %v, %v", dry, ok, err)
		}
	}
	if _, ok, err := h.book.OfRun(t.Context(), stays); !ok || err != nil {
		t.Errorf("another run is gone, %v", err)
	}
	// A word that only they used is gone, one that others use stays, also once more is read.
	h.run("s3", refunds[2:3])
	h.work()
	if strings.Contains(words(), "bluebird") || strings.Contains(words(), "kingfisher") || !strings.Contains(words(), "refund") {
		t.Error(words())
	}
}

// What nothing is known of is not answered either.
func TestUnansweredIsOfWhatIsKnown(t *testing.T) {
	t.Parallel()
	h := open(t)
	for i := range 6 {
		h.run("", refunds[i:i+1], func(r *activity.Run) {
			if r.Outcome = ""; i < 2 {
				r.Outcome = activity.OutcomeFailed
			}
		})
	}
	h.work()
	f, err := h.book.Figures(t.Context(), h.filter())
	if err != nil || f[0].Unanswered != 2 || f[0].Told != 2 || f[0].Runs != 6 {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestPlacesAreBounded(t *testing.T) {
	t.Parallel()
	h := open(t)
	err := h.db.Write(t.Context(), func(tx *control.Tx) error {
		for i := range maxPlaces {
			if _, err := tx.Exec(t.Context(), `INSERT INTO topic_cells (id, team, environment, topic, n, middle, words, last_at) VALUES (?, ?, '', '', 1, X'', '{}', 0)`, i+1, fmt.Sprint("made up ", i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	h.run("", refunds[:1])
	h.work()
	if s := h.book.Stats(); s.Skipped != 1 || s.Waiting != 0 {
		t.Errorf("%+v", s)
	}
}

// Old rows go even when there is always more to do.
func TestTidyHasItsTurn(t *testing.T) {
	t.Parallel()
	h := open(t)
	id := h.run("s", refunds[:1])
	h.work()
	h.at = h.at.Add(2 * keep)
	h.book.tidyEvery = time.Millisecond
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	n := 0
	more := func() {
		for range together + 1 { // more than one batch, so that the queue is never empty
			n++
			h.book.Observe(&telemetry.Write{Runs: []activity.Run{{ID: activity.RunID{7, byte(n), byte(n >> 8), byte(n >> 16)}, Status: activity.RunDone}}})
		}
	}
	h.endless = func() {
		more()
		if _, ok, err := h.book.OfRun(ctx, id); !ok && err == nil {
			stop()
		}
	}
	more()
	_ = h.book.Run(ctx)
	if _, ok, err := h.book.OfRun(t.Context(), id); ok || err != nil {
		t.Errorf("an old row is there: %v", err)
	}
}

func TestQueueIsBounded(t *testing.T) {
	t.Parallel()
	h := open(t)
	runs := make([]activity.Run, maxQueue+5)
	for i := range runs {
		runs[i] = activity.Run{ID: activity.RunID{byte(i), byte(i >> 8), byte(i >> 16), 1}, Status: activity.RunDone}
	}
	h.book.Observe(&telemetry.Write{Runs: runs})
	h.book.Observe(&telemetry.Write{Runs: runs[:100]}) // news of runs that wait takes no room
	if s := h.book.Stats(); s.Waiting != maxQueue || s.Skipped != 5 {
		t.Errorf("%+v", s)
	}
}

func TestTidy(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.run("s", refunds[:1])
	h.work()
	h.at = h.at.Add(25 * time.Hour)
	if err := h.book.tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	s, err := h.book.readSession(t.Context(), sessionKey{"care", "production", "s"})
	if err != nil || len(s.recent) != 0 || s.runs != 1 {
		t.Errorf("after a day: %d prompts, %d runs, %v", len(s.recent), s.runs, err)
	}
	h.at = h.at.Add(keep)
	if err := h.book.tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"topic_runs", "topic_sessions", "topic_cells"} {
		n, _, err := control.One(t.Context(), h.db, func(r control.Row) (n int, err error) { return n, r.Scan(&n) }, `SELECT COUNT(*) FROM `+table)
		if err != nil || n != 0 {
			t.Errorf("%s has %d rows, %v", table, n, err)
		}
	}
}

func TestDrift(t *testing.T) {
	t.Parallel()
	f := []Figures{{Topic: "a", Sessions: 60, Now: 100, Then: 20, AllThen: 100}, {Topic: "b", Sessions: 21, Now: 100, Then: 20, AllThen: 100}, {Topic: "c", Sessions: 19, Now: 100, Then: 60, AllThen: 100}}
	drift(f)
	if f[0].Drift != "more" || f[1].Drift != "" || f[2].Drift != "less" {
		t.Errorf("%q %q %q", f[0].Drift, f[1].Drift, f[2].Drift)
	}
	few := []Figures{{Topic: "a", Runs: 200, Sessions: 10, Now: 10, Then: 0, AllThen: 10}}
	if drift(few); few[0].Drift != "" {
		t.Error("ten sessions drift")
	}
}

func FuzzSession(f *testing.F) {
	s := session{lastCell: 4, hashes: []uint32{1, 2}, recent: []recent{{run: "run_x"}}}
	f.Add(s.pack())
	f.Add([]byte{})
	f.Add(make([]byte, 40))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s session
		s.unpack(b)
		if len(s.hashes) > maxHashes || len(s.recent) > maxRecent {
			t.Fatalf("%d hashes, %d prompts", len(s.hashes), len(s.recent))
		}
	})
}

// While the store is behind, grouping rests 25 times as long.
func TestRestsLongerWhileBusy(t *testing.T) {
	t.Parallel()
	busy := false
	b := &Book{o: Options{Rest: 9, Busy: func() bool { return busy }}}
	if got := b.rest(time.Second); got != 9*time.Second {
		t.Errorf("at rest it rests %v after a second, want 9s", got)
	}
	busy = true
	if got := b.rest(time.Second); got != 225*time.Second {
		t.Errorf("while busy it rests %v after a second, want 225s", got)
	}
}
