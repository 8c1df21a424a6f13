package poll

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"reeve/internal/fault"
)

// cloudwatch reads Bedrock's invocation logs from a log group, with
// FilterLogEvents over at most six hours at a time. Events of several streams
// come in no order that can be relied on, so the place moves when all of a time
// was read.
type cloudwatch struct{ *worker }

func (cloudwatch) kind() Kind { return Invocations }

const (
	window       = int64(6 * time.Hour)
	eventsOnPage = 1000
)

func (f cloudwatch) next(ctx context.Context, at position, seen func(string) bool) (got page, err error) {
	now := f.p.o.Now().UnixNano()
	from := f.begin(at)
	if at.key != "" { // a later window of the scan: nothing is read again
		from = at.Through
	}
	if at.until == 0 {
		at.until = min(from+window, now)
	}
	ask := map[string]any{
		"logGroupName": f.d.LogGroup, "startTime": from / int64(time.Millisecond), "endTime": at.until / int64(time.Millisecond), "limit": eventsOnPage,
	}
	if at.token != "" {
		ask["nextToken"] = at.token
	}
	body, err := f.ask(ctx, ask)
	if err != nil {
		return got, err
	}
	var v struct {
		Events []struct {
			EventID   string `json:"eventId"`
			Timestamp int64  `json:"timestamp"`
			Message   string `json:"message"`
		} `json:"events"`
		Next string `json:"nextToken"`
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return got, fault.New(fault.KindUnavailable, "poll.answer", "%s did not answer with events", f.base.Host).WithCause(err)
	}
	got.next, got.listed = at, len(v.Events)
	got.next.token = v.Next
	for _, e := range v.Events {
		if e.EventID == "" || seen(e.EventID) {
			continue
		}
		got.items = append(got.items, item{id: e.EventID, at: e.Timestamp * int64(time.Millisecond), body: []byte(e.Message)})
		got.next.Records++
	}
	switch {
	case v.Next == at.token && v.Next != "":
		return got, fault.New(fault.KindUnavailable, "poll.answer", "%s names the same page again", f.base.Host)
	case v.Next != "":
		got.more = true
	default:
		got.next.Through, got.next.key, got.next.until = max(at.Through, at.until), "next", 0
		got.more = at.until < now-int64(time.Minute)
	}
	return got, nil
}

func (f cloudwatch) ask(ctx context.Context, what any) ([]byte, error) {
	body, err := json.Marshal(what)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequest(http.MethodPost, f.base.String()+"/", bytes.NewReader(body))
	if err != nil {
		return nil, invalid("%.100q is no address", f.d.URL)
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("X-Amz-Target", "Logs_20140328.FilterLogEvents")
	if err := f.authorize(ctx, req); err != nil {
		return nil, err
	}
	return call(ctx, f.remote, req, maxAnswer)
}
