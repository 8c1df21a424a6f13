package said

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"html/template"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"reeve/internal/fault"
	"reeve/internal/feedback"
)

// Pages is what people outside use without an account: the script of web pages,
// where that sends to, and the page behind a link in a mail or a chat.
//
// A page's form is known by a key that is no secret. What keeps others out is its
// list of origins, which browsers keep, and a ticket where the form asks for one.
// A link shows a page and decides nothing: mail scanners open every link.
type Pages struct {
	book   *feedback.Book
	log    *slog.Logger
	now    func() time.Time
	around Around
	rate   rates
	near   rates // by address
}

// Around is what stands between people and the pages.
type Around struct {
	// URL is the address at which people reach a path.
	URL func(path string) string
	// Proxies are who may say, by X-Forwarded-For, for whom they ask.
	Proxies []netip.Prefix
}

// NewPages makes them.
func NewPages(book *feedback.Book, log *slog.Logger, around Around) *Pages {
	if around.URL == nil {
		around.URL = func(path string) string { return path }
	}
	return &Pages{book: book, log: log, now: time.Now, around: around}
}

// The paths of people outside.
const (
	ScriptPath = "/feedback.js"
	FormPath   = "/feedback/form"
	LinkPath   = "/f/"
	StatusPath = "/feedback/status/"
)

//go:embed feedback.js
var script []byte

var scriptTag = func() string {
	sum := sha256.Sum256(script)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
}()

// Register adds the paths to a mux.
func (p *Pages) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET "+ScriptPath, p.script)
	mux.HandleFunc("OPTIONS "+FormPath, p.preflight)
	mux.HandleFunc("POST "+FormPath, p.form)
	mux.HandleFunc("GET "+LinkPath+"{ticket}", p.ask)
	mux.HandleFunc("POST "+LinkPath+"{ticket}", p.answer)
	mux.HandleFunc("GET "+StatusPath+"{token}", p.status)
	mux.HandleFunc("POST "+StatusPath+"{token}", p.forget)
}

// Foreign reports a request that pages of other origins make by design, and that
// looks at its origin by itself: the guard in front lets it through. Behind a proxy that
// calls us by another name, the pages of links are of another origin than we are: what
// they send shows a ticket or a token in its path, and no browser adds one of itself.
func Foreign(r *http.Request) bool {
	return r.URL.Path == FormPath || strings.HasPrefix(r.URL.Path, LinkPath) || strings.HasPrefix(r.URL.Path, StatusPath)
}

func (p *Pages) script(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/javascript; charset=utf-8")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("Access-Control-Allow-Origin", "*") // for pages that name its hash (integrity)
	h.Set("Cache-Control", "public, max-age=3600")
	h.Set("ETag", scriptTag)
	if r.Header.Get("If-None-Match") == scriptTag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = w.Write(script) // the browser left: nobody to tell
}

// preflight answers a browser's question whether a page may send. It knows no
// form yet, and allows nothing but the question itself: what is sent is looked at.
func (p *Pages) preflight(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	if origin := r.Header.Get("Origin"); origin != "" {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Methods", http.MethodPost)
		h.Set("Access-Control-Allow-Headers", "Content-Type")
		h.Set("Access-Control-Max-Age", "600")
	}
	h.Set("Vary", "Origin")
	w.WriteHeader(http.StatusNoContent)
}

// maxForm bounds what a page sends.
const maxForm = 16 << 10

// formBody is what the script sends.
type formBody struct {
	Form, Ticket, Key             string
	Trace, Run, Session, User     string
	JoinKey                       string `json:"join_key"`
	Kind, Label, Comment, Contact string
	Value                         *float64
	Min, Max                      float64
	Consent                       *bool
}

func (p *Pages) form(w http.ResponseWriter, r *http.Request) {
	origin := r.Header.Get("Origin")
	w.Header().Set("Vary", "Origin")
	err := p.takeForm(r, origin, func() { w.Header().Set("Access-Control-Allow-Origin", origin) })
	if err != nil {
		p.refuse(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// takeForm keeps what a page sends; allowed is called once its origin is known to
// be the form's.
func (p *Pages) takeForm(r *http.Request, origin string, allowed func()) error {
	if !p.near.take(p.addressOf(r), 10, 60, p.now()) {
		return busy()
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		return fault.New(fault.KindInvalid, "said.media_type", "send JSON")
	}
	raw, err := read(r, maxForm)
	if err != nil {
		return err
	}
	var in formBody
	if err := json.Unmarshal(raw, &in); err != nil {
		return malformed("what the script sends", err)
	}
	// Keys of any shape are looked up, so how many is bounded before.
	if !p.rate.take("", 200, 400, p.now()) {
		return busy()
	}
	form, err := p.book.FormOf(r.Context(), in.Form)
	if err != nil {
		return err
	}
	if !form.May(origin) {
		return fault.New(fault.KindDenied, "said.origin", "pages of this origin do not use the form").WithHint("`reeve feedback form set` lists the origins that may")
	}
	allowed()
	if !p.rate.take(form.Name, 20, 100, p.now()) {
		return busy()
	}
	from := feedback.Sender{Source: "form:" + form.Name, Team: form.Team, Environment: form.Environment}
	report := feedback.Report{
		On: feedback.On{Trace: in.Trace, Run: in.Run, Session: in.Session, JoinKey: in.JoinKey}, Name: form.Question, Kind: in.Kind, Value: in.Value, Min: in.Min, Max: in.Max,
		Label: in.Label, Comment: in.Comment, Contact: in.Contact, User: in.User, Consent: in.Consent,
	}
	switch {
	case in.Ticket != "":
		t, err := p.book.Open(in.Ticket)
		if err != nil {
			return err
		}
		if t.Team != form.Team {
			return fault.New(fault.KindDenied, "said.ticket", "the ticket is another team's")
		}
		from.Team, from.Environment, from.Verified, from.Keys = t.Team, t.Environment, true, feedback.TicketKeys
		report.On, report.User, report.Key = t.On, t.User, t.Key()
	case form.Ticket:
		return fault.New(fault.KindUnauthenticated, "said.no_ticket", "the form takes only what shows a ticket").WithHint("give the element a ticket attribute, made by POST /api/v1/feedback-links")
	default:
		if report.On, report.Key, err = form.Word(report.On); err != nil {
			return err
		}
	}
	_, err = p.book.Take(r.Context(), from, []feedback.Report{report})
	return err
}

func busy() error {
	return fault.New(fault.KindExhausted, "said.busy", "more comes than is taken").WithRetryAfter(time.Second)
}

func read(r *http.Request, most int64) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, most+1))
	if err != nil {
		return nil, malformed("whole", err)
	}
	if int64(len(raw)) > most {
		return nil, fault.New(fault.KindInvalid, "said.too_large", "it has more than %d bytes", most)
	}
	return raw, nil
}

// refuse answers a script: the code tells a developer what is wrong.
func (p *Pages) refuse(w http.ResponseWriter, err error) {
	f := fault.From(err)
	if f.Kind == fault.KindInternal || f.Kind == fault.KindUnavailable {
		p.log.Error("feedback of a page was not kept", "code", f.Code, "err", err)
	}
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(max(1, int(f.RetryAfter.Seconds()))))
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(f.Kind.HTTPStatus())
	body, _ := json.Marshal(map[string]string{"code": f.Code, "detail": f.Message, "hint": f.Hint}) // strings
	_, _ = w.Write(body)
}

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Parse(pageText))

// view is what the page shows.
type view struct {
	Question string
	Style    template.CSS
	Up, Down bool // what the link was about, marked and not sent
	Thanks   bool
	Problem  string
	Link     string // by which they see what becomes of it
	Until    string
	Status   *shown
	Gone     bool // the status was forgotten
	Lost     bool // there is no status to show
}

// shown is what somebody sees of what became of what they said.
type shown struct{ Says, Text, At string }

// ask shows the page behind a link. Nothing is taken: whoever opens it sends it.
func (p *Pages) ask(w http.ResponseWriter, r *http.Request) {
	t, err := p.book.Open(r.PathValue("ticket"))
	v := view{Question: t.Question, Up: r.URL.Query().Get("v") == "up", Down: r.URL.Query().Get("v") == "down"}
	p.show(w, v, err)
}

func (p *Pages) answer(w http.ResponseWriter, r *http.Request) {
	t, err := p.book.Open(r.PathValue("ticket"))
	v := view{Question: t.Question}
	if err == nil {
		v.Link, v.Until, err = p.takeAnswer(r, &t)
	}
	v.Thanks = err == nil
	p.show(w, v, err)
}

// takeAnswer keeps what somebody says behind a link. Who was not content and left no
// address is given a link by which they see what becomes of it.
func (p *Pages) takeAnswer(r *http.Request, t *feedback.Ticket) (link, until string, err error) {
	report, err := p.answerOf(r, t)
	if err != nil {
		return "", "", err
	}
	ids, err := p.book.Take(r.Context(), feedback.Sender{Source: "link", Team: t.Team, Environment: t.Environment, Verified: true, Keys: feedback.TicketKeys}, []feedback.Report{report})
	if err != nil || *report.Value != 0 || report.Contact != "" {
		return "", "", err
	}
	token, expires, err := p.book.StatusLink(r.Context(), ids[0])
	if err != nil {
		// What they said is kept: that alone is what they are told.
		p.log.Warn("no status link was made", "err", err)
		return "", "", nil
	}
	return p.around.URL(StatusPath + token), expires.Format(time.DateOnly), nil
}

func (p *Pages) answerOf(r *http.Request, t *feedback.Ticket) (report feedback.Report, err error) {
	// One who floods leaves the others their part.
	if !p.near.take(p.addressOf(r), 10, 60, p.now()) {
		return report, busy()
	}
	if !p.rate.take("links", 50, 200, p.now()) {
		return report, busy()
	}
	r.Body = http.MaxBytesReader(nil, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return report, malformed("a form", err)
	}
	report = feedback.Report{Key: t.Key(), On: t.On, User: t.User, Name: t.Question, Kind: feedback.Thumb, Comment: r.PostForm.Get("comment"), Contact: r.PostForm.Get("contact")}
	one, zero := 1.0, 0.0
	switch r.PostForm.Get("v") {
	case "up":
		report.Value = &one
	case "down":
		report.Value = &zero
	default:
		return report, fault.New(fault.KindInvalid, "said.missing", "say yes or no")
	}
	if c := r.PostForm.Get("consent"); c != "" {
		yes := c == "yes"
		report.Consent = &yes
	}
	return report, nil
}

// says is a state in words for whom it is about.
var says = map[string]string{
	feedback.StatusOpen:      "It was received. Nobody has said yet what comes of it.",
	feedback.StatusWorking:   "It is being worked on.",
	feedback.StatusCorrected: "It was corrected.",
}

// status shows what became of what somebody said: to whom, of what and what they said
// is not shown, since a link may be seen by others.
func (p *Pages) status(w http.ResponseWriter, r *http.Request) {
	var v view
	err := p.seldom(r)
	if err == nil {
		var s feedback.Status
		if s, err = p.book.StatusBy(r.Context(), r.PathValue("token")); err == nil {
			v.Status = &shown{Says: says[s.State], Text: s.Text, At: s.At.UTC().Format(time.DateOnly)}
		}
	}
	v.Lost = err != nil
	p.show(w, v, err)
}

// forget ends the link for whoever holds it.
func (p *Pages) forget(w http.ResponseWriter, r *http.Request) {
	err := p.seldom(r)
	if err == nil {
		err = p.book.ForgetStatus(r.Context(), r.PathValue("token"))
	}
	p.show(w, view{Gone: err == nil, Lost: err != nil}, err)
}

// seldom bounds how often an address looks: whoever guesses gets nowhere, and is not
// let to try.
func (p *Pages) seldom(r *http.Request) error {
	if !p.near.take("status "+p.addressOf(r), 1, 30, p.now()) || !p.rate.take("status", 100, 300, p.now()) {
		return busy()
	}
	return nil
}

// style is inline, under its own hash: the page needs no other request.
const style = `body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}fieldset{border:0;padding:0;margin:0 0 1rem}label{display:block;margin:.5rem 0}input[type=radio]{width:1.2rem;height:1.2rem;vertical-align:-.2rem}textarea,input[type=email]{width:100%;box-sizing:border-box;font:inherit;padding:.5rem;border:1px solid #6b6b6b;border-radius:4px;background:inherit;color:inherit}button{font:inherit;padding:.6rem 1.2rem;border:0;border-radius:4px;background:#1c4f9c;color:#fff}:focus-visible{outline:3px solid #1c4f9c;outline-offset:2px}.problem{color:#a40000}.text{white-space:pre-wrap;overflow-wrap:anywhere}a{color:inherit;overflow-wrap:anywhere}@media(prefers-color-scheme:dark){body{color:#ececec;background:#161616}.problem{color:#ff9a9a}:focus-visible{outline-color:#8ab4ff}}`

var styleHash = func() string {
	sum := sha256.Sum256([]byte(style))
	return base64.StdEncoding.EncodeToString(sum[:])
}()

func (p *Pages) show(w http.ResponseWriter, v view, err error) {
	h := w.Header()
	// With no-referrer browsers send the form with the origin null, which is nobody's.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+styleHash+"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Robots-Tag", "noindex")
	h.Set("Content-Type", "text/html; charset=utf-8")
	v.Style = template.CSS(style)
	status := http.StatusOK
	if err != nil {
		f := fault.From(err)
		v.Problem, status = f.Message, f.Kind.HTTPStatus()
		if f.Kind == fault.KindInternal || f.Kind == fault.KindUnavailable {
			p.log.Error("feedback of a link was not kept", "code", f.Code, "err", err)
			v.Problem = "it could not be kept"
		}
	}
	var b bytes.Buffer
	if err := page.Execute(&b, v); err != nil { // of our own fields: a bug
		panic(errors.Join(errors.New("said: the page"), err))
	}
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

// addressOf is whom a request is counted for: a network of IPv6 is one household's. A
// proxy of ours says for whom it asks; of what it heard from others, the last that is no
// proxy of ours counts, since all before it may be made up.
func (p *Pages) addressOf(r *http.Request) string {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	a := at.Addr().Unmap().WithZone("")
	if p.trusted(a) {
		told := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		for i := len(told) - 1; i >= max(0, len(told)-maxHops) && p.trusted(a); i-- {
			next, err := forwardedFor(told[i])
			if err != nil {
				break // the proxy said nothing that can be read: it is counted itself
			}
			a = next
		}
	}
	if a.Is6() {
		if net, err := a.Prefix(64); err == nil {
			return net.String()
		}
	}
	return a.String()
}

// maxHops bounds the proxies that are looked through.
const maxHops = 10

func (p *Pages) trusted(a netip.Addr) bool {
	return slices.ContainsFunc(p.around.Proxies, func(n netip.Prefix) bool { return n.Contains(a) })
}

// forwardedFor reads one element of X-Forwarded-For: an address, some add its port.
func forwardedFor(text string) (netip.Addr, error) {
	text = strings.TrimSpace(text)
	a, err := netip.ParseAddr(strings.Trim(text, "[]"))
	if err != nil {
		var with netip.AddrPort
		with, err = netip.ParseAddrPort(text)
		a = with.Addr()
	}
	return a.Unmap().WithZone(""), err
}

// maxBuckets bounds the addresses that are counted.
const maxBuckets = 10_000

// rates are token buckets by name.
type rates struct {
	mu    sync.Mutex
	all   map[string]*bucket
	swept time.Time
}

type bucket struct {
	left float64
	at   time.Time
}

// take reports whether one more may pass: so many a second, and so many at once.
func (r *rates) take(name string, perSecond, most float64, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all == nil {
		r.all = map[string]*bucket{}
	}
	b := r.all[name]
	if b == nil {
		if len(r.all) >= maxBuckets && now.Sub(r.swept) >= time.Second {
			r.swept = now
			for other, x := range r.all { // those who were not here lately begin anew
				if x.left+now.Sub(x.at).Seconds()*perSecond >= most {
					delete(r.all, other)
				}
			}
		}
		if len(r.all) >= maxBuckets { // so many at once: the buckets behind this one hold
			return true
		}
		b = &bucket{most, now}
		r.all[name] = b
	}
	b.left = min(most, b.left+now.Sub(b.at).Seconds()*perSecond)
	b.at = now
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}
