package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Client calls a Reeve. Make one with New; it is safe for concurrent use. Its
// methods, one for each operation of the API, stand in operations.go.
type Client struct {
	base           string
	token          string
	cookie, secret string // of a person's session; "" for none
	http           *http.Client
}

// The names under which a person's session travels: the cookie, and the header
// of the secret that goes with it.
const (
	SessionCookie = "reeve_session"
	SessionHeader = "X-Reeve-Session-Secret"
)

// WithSession makes the client act in a person's session, as SignIn opened it.
func WithSession(cookie, secret string) Option {
	return func(c *Client) { c.cookie, c.secret = cookie, secret }
}

// Option changes a Client that New makes.
type Option func(*Client)

// WithHTTP makes the client use h, whose timeout has to leave room for Events.
func WithHTTP(h *http.Client) Option { return func(c *Client) { c.http = h } }

// maxAnswer bounds an answer; the largest page of steps takes about 30 MB.
const maxAnswer = 256 << 20

// New makes a client of the server at base ("http://127.0.0.1:7300"). The token
// may be empty where the server runs in dev mode.
func New(base, token string, options ...Option) *Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.ResponseHeaderTimeout = 60 * time.Second
	c := &Client{base: strings.TrimRight(base, "/"), token: token, http: &http.Client{
		Transport: t,
		// A redirect would carry the token to wherever it points.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	for _, o := range options {
		o(c)
	}
	return c
}

// call performs an operation: fields tagged path and query go into the URL, the
// rest into the body.
func call[Resp any](ctx context.Context, c *Client, method, path string, req any) (*Resp, error) {
	r, err := c.request(ctx, method, path, req)
	if err != nil {
		return nil, err
	}
	res, err := c.http.Do(r)
	if err != nil {
		return nil, fmt.Errorf("calling %s %s: %w", method, path, err)
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		return nil, problemOf(res)
	}
	if res.StatusCode == http.StatusAccepted {
		waits := &Pending{}
		if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(&waits.Proposal); err != nil {
			return nil, fmt.Errorf("reading the answer to %s %s: %w", method, path, err)
		}
		return nil, waits
	}
	out := new(Resp)
	if res.StatusCode == http.StatusNoContent {
		return out, nil
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(out); err != nil {
		return nil, fmt.Errorf("reading the answer to %s %s: %w", method, path, err)
	}
	return out, nil
}

func (c *Client) request(ctx context.Context, method, path string, req any) (*http.Request, error) {
	query, hasBody := url.Values{}, false
	if req != nil {
		v := reflect.ValueOf(req)
		for i := range v.NumField() {
			f := v.Type().Field(i)
			switch {
			case f.Tag.Get("path") != "":
				path = strings.Replace(path, "{"+f.Tag.Get("path")+"}", url.PathEscape(v.Field(i).String()), 1)
			case f.Tag.Get("query") != "":
				if !v.Field(i).IsZero() {
					query.Set(f.Tag.Get("query"), fmt.Sprint(v.Field(i).Interface()))
				}
			default:
				hasBody = true
			}
		}
	}
	address := c.base + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	var body io.Reader
	if hasBody {
		b, err := json.Marshal(req)
		if err != nil {
			return nil, fmt.Errorf("encoding the request of %s %s: %w", method, path, err)
		}
		body = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return nil, fmt.Errorf("making the request %s %s: %w", method, path, err)
	}
	if hasBody {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Accept", "application/json")
	switch {
	case c.token != "":
		r.Header.Set("Authorization", "Bearer "+c.token)
	case c.cookie != "":
		r.AddCookie(&http.Cookie{Name: SessionCookie, Value: c.cookie})
		r.Header.Set(SessionHeader, c.secret)
	}
	return r, nil
}

// problemOf reads an answer that says no. One that is no problem document comes
// from something between us and Reeve.
func problemOf(res *http.Response) error {
	b, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil {
		return fmt.Errorf("reading the answer %s: %w", res.Status, err)
	}
	p := &Problem{}
	if kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")); kind == "application/problem+json" && json.Unmarshal(b, p) == nil && p.Code != "" {
		p.Status = res.StatusCode
		return p
	}
	return &Problem{
		Title: http.StatusText(res.StatusCode), Status: res.StatusCode, Code: "http." + strconv.Itoa(res.StatusCode),
		Detail: strings.TrimSpace(string(b[:min(len(b), 200)])), Hint: "this did not come from Reeve: check the address",
	}
}

// Pages walks through a list: page is called with each cursor, first with "".
// It ends with the list, at the first error (which is the last thing yielded),
// or when the loop breaks.
//
//	for run, err := range client.Pages(func(cursor string) (*client.List[client.Run], error) {
//		return c.ListRuns(ctx, client.ListRunsRequest{Agent: "refund", Cursor: cursor})
//	}) { ... }
func Pages[T any](page func(cursor string) (*List[T], error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		for cursor := ""; ; {
			list, err := page(cursor)
			if err != nil {
				yield(none, err)
				return
			}
			for _, item := range list.Items {
				if !yield(item, nil) {
					return
				}
			}
			if list.Next == "" {
				return
			}
			if list.Next == cursor {
				yield(none, errors.New("the server gave the same cursor twice"))
				return
			}
			cursor = list.Next
		}
	}
}

// AllRuns walks through the runs of a request, page by page.
func (c *Client) AllRuns(ctx context.Context, req ListRunsRequest) iter.Seq2[Run, error] {
	return Pages(func(cursor string) (*List[Run], error) {
		req.Cursor = cursor
		return c.ListRuns(ctx, req)
	})
}

// AllSteps walks through the steps of a run, page by page.
func (c *Client) AllSteps(ctx context.Context, req ListStepsRequest) iter.Seq2[Step, error] {
	return Pages(func(cursor string) (*List[Step], error) {
		req.Cursor = cursor
		return c.ListSteps(ctx, req)
	})
}

const (
	maxEvent  = 1 << 20
	minPause  = 500 * time.Millisecond
	maxPause  = 15 * time.Second
	maxSilent = 45 * time.Second // three heartbeats
)

// Events follows what changes until ctx ends or the server refuses, and calls
// handle for each event, in order. A lost connection is made anew from the last
// event seen; when that is too old the event "reset" says that everything shown
// has to be read again. An error of handle ends it and is returned.
func (c *Client) Events(ctx context.Context, req EventsRequest, handle func(Event) error) error {
	pause := minPause
	for {
		progress, err := c.follow(ctx, &req, handle)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		var stop *stopped
		if errors.As(err, &stop) {
			return stop.error
		}
		if progress {
			pause = minPause
		}
		t := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			t.Stop()
			return context.Cause(ctx)
		case <-t.C:
		}
		pause = min(2*pause, maxPause)
	}
}

// stopped marks an error that trying again does not mend.
type stopped struct{ error }

func (c *Client) follow(ctx context.Context, req *EventsRequest, handle func(Event) error) (progress bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r, err := c.request(ctx, http.MethodGet, "/api/v1/events", *req)
	if err != nil {
		return false, &stopped{err}
	}
	r.Header.Set("Accept", "text/event-stream")
	res, err := c.http.Do(r)
	if err != nil {
		return false, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		err := problemOf(res)
		if res.StatusCode == http.StatusTooManyRequests || res.StatusCode >= 500 {
			return false, err
		}
		return false, &stopped{err}
	}
	// A connection whose other end is gone without a word is silent for good.
	silence := time.AfterFunc(maxSilent, cancel)
	defer silence.Stop()
	var ev Event
	var data []byte
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, maxEvent)
	for lines.Scan() {
		silence.Reset(maxSilent)
		progress = true
		line := lines.Text()
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "":
			if ev.ID != "" {
				req.After = ev.ID
			}
			if ev.Type != "" {
				ev.Data = data
				if err := handle(ev); err != nil {
					return true, &stopped{err}
				}
			}
			ev, data = Event{}, nil
		case field == "id":
			ev.ID = value
		case field == "event":
			ev.Type = value
		case field == "data":
			data = append(data, value...)
		}
	}
	if err := lines.Err(); err != nil {
		return progress, err
	}
	return progress, io.ErrUnexpectedEOF
}
