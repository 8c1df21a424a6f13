package api

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"reeve/client"
	"reeve/internal/activity"
	"reeve/internal/fault"
	"reeve/internal/identity"
	"reeve/internal/telemetry/search"
	"reeve/internal/topic"
	"reeve/internal/topic/mood"
)

// Asked reads what was asked in a run, redacted; the oldest first.
type Asked interface {
	Asked(ctx context.Context, id activity.RunID) ([]string, bool, error)
}

// Topics are what people ask for; both are set or none is.
type Topics struct {
	Topics *topic.Book
	Asked  Asked
}

func (a *API) topics() (*topic.Book, error) {
	if a.o.Topics.Topics == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server groups no prompts")
	}
	return a.o.Topics.Topics, nil
}

func topicPlaces(who identity.Principal) []topic.Place {
	places := placesOf(who)
	if places == nil {
		return nil
	}
	out := make([]topic.Place, len(places))
	for i, p := range places {
		out[i] = topic.Place(p)
	}
	return out
}

const (
	topicPeriod    = 7 * 24 * time.Hour
	topicMost      = 100 * 24 * time.Hour
	topicExamples  = 5
	mostTopicItems = 500
)

// topicFilter narrows to what the asker may see, and to a period.
func (a *API) topicFilter(ctx context.Context, f topic.Filter, from, to string) (topic.Filter, error) {
	var err error
	if f.From, f.To, err = a.period(from, to); err != nil {
		return f, err
	}
	if f.To.IsZero() {
		f.To = a.o.Now()
	}
	if f.From.IsZero() {
		f.From = f.To.Add(-topicPeriod)
	}
	if f.To.Sub(f.From) > topicMost {
		f.From = f.To.Add(-topicMost) // nothing older is kept
	}
	f.From, f.To = f.From.UTC(), f.To.UTC()
	f.Visible = topicPlaces(whoOf(ctx))
	return f, nil
}

func topicFigures(f *topic.Figures) client.TopicFigures {
	out := client.TopicFigures{
		Runs: f.Runs, Sessions: f.Sessions, Demand: shareOf(f.Runs, f.All), Drift: f.Drift, Resolved: shareOf(f.Resolved, f.Known), Satisfied: shareOf(f.Satisfied, f.Said),
		Unanswered: shareOf(f.Unanswered, f.Told), AskedAgain: f.AskedAgain,
	}
	if f.AllBefore > 0 {
		before := float64(f.Before) / float64(f.AllBefore)
		out.Before = &before
	}
	if f.Priced > 0 {
		each := f.Cost / float64(f.Priced)
		out.CostUSD, out.CostPerRun = &f.Cost, &each
	}
	return out
}

func topicOf(t *topic.Topic, f *topic.Figures, from time.Time) client.Topic {
	return client.Topic{
		ID: t.ID, Title: t.Title(), Name: t.Name, Words: list(t.Words), Team: t.Team, Environment: t.Environment, Revision: t.Revision, CreatedAt: t.CreatedAt,
		New: t.CreatedAt.After(from) && f.Before == 0, TopicFigures: topicFigures(f),
	}
}

func listTopics(a *API, ctx context.Context, req *client.ListTopicsRequest) (*client.TopicList, error) {
	book, err := a.topics()
	if err != nil {
		return nil, err
	}
	f, err := a.topicFilter(ctx, topic.Filter{Team: req.Team, Environment: req.Environment, Agent: req.Agent, Version: req.Version}, req.From, req.To)
	if err != nil {
		return nil, err
	}
	all, err := book.Figures(ctx, f)
	if err != nil {
		return nil, err
	}
	names, err := book.Topics(ctx, f.Visible)
	if err != nil {
		return nil, err
	}
	s := book.Stats()
	out := &client.TopicList{From: f.From, To: f.To, Items: []client.Topic{}, Coverage: client.TopicsSeen{Runs: s.Runs, Waiting: s.Waiting, Skipped: s.Skipped, Failed: s.Failed}}
	for i := range all {
		t, ok := names[all[i].Topic]
		switch {
		case all[i].Topic == "":
			out.Ungrouped = topicFigures(&all[i])
		case ok && len(out.Items) < mostTopicItems:
			out.Items = append(out.Items, topicOf(&t, &all[i], f.From))
		}
	}
	return out, nil
}

// seenTopic is a topic that the asker may see.
func (a *API) seenTopic(ctx context.Context, id string) (topic.Topic, error) {
	book, err := a.topics()
	if err != nil {
		return topic.Topic{}, err
	}
	t, err := book.Get(ctx, id)
	if err == nil && !maySeeAt(whoOf(ctx), t.Team, t.Environment) {
		_, err = book.Get(ctx, "") // the answer of one that is not there
	}
	return t, err
}

func getTopic(a *API, ctx context.Context, req *client.TopicRequest) (*client.TopicPage, error) {
	t, err := a.seenTopic(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	book := a.o.Topics.Topics
	f, err := a.topicFilter(ctx, topic.Filter{Team: req.Team, Environment: req.Environment, Agent: req.Agent, Version: req.Version}, req.From, req.To)
	if err != nil {
		return nil, err
	}
	all, err := book.Figures(ctx, f)
	if err != nil {
		return nil, err
	}
	var own topic.Figures
	for i := range all {
		if all[i].Topic == t.ID {
			own = all[i]
		}
	}
	out := &client.TopicPage{Topic: topicOf(&t, &own, f.From), From: f.From, To: f.To, Agents: []client.TopicAgent{}, Series: []client.TopicBucket{}, Examples: []client.TopicExample{}}
	agents, err := book.ByAgent(ctx, f, t.ID)
	if err != nil {
		return nil, err
	}
	for i := range agents {
		agents[i].All = own.Runs
		out.Agents = append(out.Agents, client.TopicAgent{Agent: agents[i].Topic, TopicFigures: topicFigures(&agents[i])})
	}
	if out.Series, err = topicSeries(ctx, book, f, t.ID); err != nil {
		return nil, err
	}
	out.Examples, err = a.topicExamples(ctx, f, t.ID)
	return out, err
}

// topicSeries has about forty parts, each a whole number of hours.
func topicSeries(ctx context.Context, book *topic.Book, f topic.Filter, id string) ([]client.TopicBucket, error) {
	width := max(f.To.Sub(f.From)/40, time.Hour).Round(time.Hour)
	own, err := book.Series(ctx, f, id, width)
	if err != nil {
		return nil, err
	}
	all, err := book.Series(ctx, f, "", width)
	if err != nil {
		return nil, err
	}
	out := []client.TopicBucket{}
	for i, k := 0, 0; i < len(all); i++ {
		b := client.TopicBucket{At: all[i].At, All: all[i].Runs}
		if k < len(own) && own[k].At.Equal(all[i].At) {
			b.Runs, b.Unanswered = own[k].Runs, own[k].Unanswered
			k++
		}
		out = append(out, b)
	}
	return out, nil
}

func (a *API) topicExamples(ctx context.Context, f topic.Filter, id string) ([]client.TopicExample, error) {
	runs, err := a.o.Topics.Topics.Runs(ctx, f, id, false, true, topicExamples, time.Time{})
	if err != nil {
		return nil, err
	}
	out := []client.TopicExample{}
	who := whoOf(ctx)
	for _, r := range runs {
		x := client.TopicExample{Run: r.Run, Agent: r.Agent, At: r.At}
		if run, err := activity.ParseRunID(r.Run); err == nil && who.Can(identity.Reader, r.Team, r.Environment) {
			texts, _, err := a.o.Topics.Asked.Asked(ctx, run)
			if err != nil {
				return nil, err
			}
			if len(texts) > 0 {
				x.Text = clip(texts[len(texts)-1], 400)
			}
		}
		out = append(out, x)
	}
	return out, nil
}

func topicRunOf(r topic.Asked) client.TopicRun {
	out := client.TopicRun{
		Run: r.Run, Topic: r.Topic, Agent: r.Agent, Version: r.Version, Team: r.Team, Environment: r.Environment, Session: r.Session, Outcome: r.Outcome, Failed: r.Failed, Verdict: r.Verdict, AskedAgain: r.AskedAgain, CostUSD: r.Cost, Near: r.Near, At: r.At,
	}
	if out.Session == out.Run {
		out.Session = ""
	}
	return out
}

func listTopicRuns(a *API, ctx context.Context, req *client.TopicRunsRequest) (*client.List[client.TopicRun], error) {
	book, err := a.topics()
	if err != nil {
		return nil, err
	}
	id := ""
	if req.ID != "none" {
		t, err := a.seenTopic(ctx, req.ID)
		if err != nil {
			return nil, err
		}
		id = t.ID
	}
	f, err := a.topicFilter(ctx, topic.Filter{Team: req.Team, Environment: req.Environment, Agent: req.Agent, Version: req.Version}, req.From, req.To)
	if err != nil {
		return nil, err
	}
	runs, err := book.Runs(ctx, f, id, req.Unanswered, false, min(orDefault(req.Limit, 100), 1000), time.Time{})
	return listOf(runs, err, topicRunOf)
}

func nameTopic(a *API, ctx context.Context, req *client.NameTopicRequest) (*client.Topic, error) {
	t, err := a.seenTopic(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	who := actorOf(ctx)
	t, err = a.o.Topics.Topics.Rename(ctx, topic.Actor{Person: who.Person, Name: who.Name, Via: who.Via, Can: func(role, team, environment string) bool {
		return who.Can(role, everyOf(team), everyOf(environment))
	}}, t.ID, req.Name, req.Revision)
	if err != nil {
		return nil, err
	}
	out := topicOf(&t, &topic.Figures{}, t.CreatedAt)
	return &out, nil
}

func getRunTopic(a *API, ctx context.Context, req *client.RunRequest) (*client.RunTopic, error) {
	book, err := a.topics()
	if err != nil {
		return nil, err
	}
	run, err := a.run(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	out := &client.RunTopic{}
	asked, ok, err := book.OfRun(ctx, run.ID)
	if err != nil || !ok {
		return out, err
	}
	shape := topicRunOf(asked)
	out.Looked, out.Run = true, &shape
	if asked.Topic != "" {
		t, err := book.Get(ctx, asked.Topic)
		if err != nil {
			return nil, err
		}
		x := topicOf(&t, &topic.Figures{}, t.CreatedAt)
		out.Topic = &x
	}
	s, ok, err := book.SessionOf(ctx, &asked)
	if err == nil && ok {
		m := moodOf(s)
		out.Session = &m
	}
	return out, err
}

func moodOf(s topic.Session) client.Mood {
	out := client.Mood{
		Session: s.Session, Team: s.Team, Environment: s.Environment, Agent: s.Agent, Version: s.Version, Runs: s.Runs, Prompts: s.Prompts, Score: s.Score, Frustrated: s.Score >= mood.Frustrated, Signs: []client.MoodSign{}, At: s.At,
	}
	for _, x := range s.Signs {
		out.Signs = append(out.Signs, client.MoodSign(x))
	}
	return out
}

func listMoods(a *API, ctx context.Context, req *client.ListMoodsRequest) (*client.MoodList, error) {
	book, err := a.topics()
	if err != nil {
		return nil, err
	}
	f, err := a.topicFilter(ctx, topic.Filter{Team: req.Team, Environment: req.Environment, Agent: req.Agent, Version: req.Version}, req.From, req.To)
	if err != nil {
		return nil, err
	}
	all, err := book.Sessions(ctx, f, min(orDefault(req.Limit, 100), 1000))
	if err != nil {
		return nil, err
	}
	agents, _, err := book.Frustrations(ctx, f, "agent", 0)
	if err != nil {
		return nil, err
	}
	out := &client.MoodList{From: f.From, To: f.To, Agents: []client.MoodAgent{}, Items: []client.Mood{}}
	var k, n int64
	for _, x := range agents {
		k, n = k+x.Frustrated, n+x.Sessions
		out.Agents = append(out.Agents, client.MoodAgent{Agent: x.Group, Frustrated: shareOf(x.Frustrated, x.Sessions)})
	}
	out.Frustrated = shareOf(k, n)
	for _, s := range all {
		out.Items = append(out.Items, moodOf(s))
	}
	return out, nil
}

const (
	// mostAbout bounds the runs that a search names by what they were about.
	mostAbout = 20_000
	// mostTopics bounds the topics that one comparison names.
	mostTopics = 500
)

// runsAbout is what a search means by topic: the runs of a period, and of what the asker
// may see, that were about one of the topics that it names, by id or by name.
func (a *API) runsAbout(ctx context.Context, c *search.Cmp, from, to time.Time) (search.Expr, error) {
	book, err := a.topics()
	if err != nil {
		return nil, err
	}
	f := topic.Filter{From: from.Add(-time.Hour), To: to.Add(time.Hour), Visible: topicPlaces(whoOf(ctx))}
	now := a.o.Now()
	if to.IsZero() {
		f.To = now.Add(time.Hour)
	}
	if from.IsZero() || f.To.Sub(f.From) > topicMost {
		f.From = f.To.Add(-topicMost) // nothing older is kept
	}
	among := func(topics []string) (*search.Among, error) {
		ids, err := book.Of(ctx, f, topics, mostAbout+1)
		if err != nil {
			return nil, err
		}
		if len(ids) > mostAbout {
			return nil, fault.New(fault.KindInvalid, "search.topic_too_large", "more than %d runs of the period are meant by %s", mostAbout, clip(c.String(), 100)).WithHint("give a shorter period")
		}
		out := &search.Among{Runs: make(map[activity.RunID]bool, len(ids)), Said: &search.Cmp{Field: c.Field, Op: ":", Values: c.Values}}
		if c.Op == "~" {
			out.Said = c
		}
		for _, id := range ids {
			out.Runs[id] = true
		}
		return out, nil
	}
	all, err := book.Topics(ctx, f.Visible)
	if err != nil {
		return nil, err
	}
	field, _ := search.Lookup(search.ScopeRun, c.Field)
	var topics []string
	none := false
	for _, text := range c.Values {
		v, err := field.Read(text, now)
		if err != nil {
			return nil, err
		}
		if v.Unknown {
			none = true
			continue
		}
		want, known := strings.ToLower(v.Text), false
		for id, t := range all {
			name := strings.ToLower(t.Title())
			if id == v.Text || c.Op == "~" && strings.Contains(name, want) || c.Op != "~" && (name == want || strings.ToLower(t.Name) == want && want != "" || v.Prefix && strings.HasPrefix(name, want)) {
				known = true
				topics = append(topics, finalTopic(all, id))
			}
		}
		if !known && c.Op != "~" && !v.Prefix {
			// Nothing found would say that there are no such runs.
			return nil, fault.New(fault.KindInvalid, "search.no_topic", "there is no topic %.100s", v.Text).WithHint("`reeve topic list` lists them, with their ids")
		}
	}
	slices.Sort(topics)
	if topics = slices.Compact(topics); len(topics) > mostTopics {
		return nil, fault.New(fault.KindInvalid, "search.topic_too_large", "%s means %d topics, and at most %d can be", clip(c.String(), 100), len(topics), mostTopics)
	}
	var out search.Expr = &search.Among{Said: &search.Cmp{Field: c.Field, Op: ":", Values: c.Values}}
	if len(topics) > 0 {
		if out, err = among(topics); err != nil {
			return nil, err
		}
	}
	if none {
		any, err := among(nil)
		if err != nil {
			return nil, err
		}
		any.Said = &search.Cmp{Field: c.Field, Op: "!=", Values: search.Unknown(c.Field).Values}
		out = search.Either(out, &search.Not{Of: any})
	}
	if c.Op == "!=" {
		out = &search.Not{Of: out}
	}
	return out, nil
}

// finalTopic is what a topic became part of, or itself.
func finalTopic(all map[string]topic.Topic, id string) string {
	for range 10 {
		t, ok := all[id]
		if !ok || t.Into == "" {
			return id
		}
		id = t.Into
	}
	return id
}

// topicNames are what searches may call topics, those with the most prompts first.
func (a *API) topicNames(ctx context.Context) []string {
	if a.o.Topics.Topics == nil {
		return nil
	}
	all, err := a.o.Topics.Topics.Topics(ctx, topicPlaces(whoOf(ctx)))
	if err != nil { // as of other fields: completion without known values is still completion
		a.o.Logger.WarnContext(ctx, "topics for completion not read", "err", err)
		return nil
	}
	list := slices.Collect(maps.Values(all))
	slices.SortFunc(list, func(x, y topic.Topic) int {
		return cmp.Or(cmp.Compare(y.Prompts, x.Prompts), strings.Compare(x.ID, y.ID))
	})
	var out []string
	for i := range list {
		if t := &list[i]; t.Into == "" && len(out) < maxValues && !slices.Contains(out, t.Title()) {
			out = append(out, t.Title())
		}
	}
	return out
}
