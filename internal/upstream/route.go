package upstream

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"reeve/client"
	"reeve/internal/fault"
)

// route is a compiled client.Route.
type route struct {
	client.Route
	parts []part
	rest  bool // takes everything below
}

// part is a segment: a text, or any one segment.
type part struct {
	text string
	any  bool
}

const (
	maxRoutes   = 1000
	maxSegments = 64
	maxPath     = 8 << 10
)

// segments reads a path as it stands in a request line. Whatever two readers
// could take for two different paths is refused: what is matched here must be
// what the upstream acts on.
func segments(escaped string) ([]string, error) { return split(escaped, false) }

// split also takes an encoded slash within a segment where it is part of a name.
func split(escaped string, slash bool) ([]string, error) {
	bad := func(why string) error {
		return fault.New(fault.KindInvalid, "upstream.path", "the path has %s", why)
	}
	if len(escaped) > maxPath || !strings.HasPrefix(escaped, "/") {
		return nil, bad("no slash at its beginning or is too long")
	}
	parts := strings.Split(escaped[1:], "/")
	if len(parts) > maxSegments {
		return nil, bad("too many segments")
	}
	for i, p := range parts {
		text, err := url.PathUnescape(p)
		switch {
		case err != nil || !utf8.ValidString(text):
			return nil, bad("an escape that cannot be read")
		case slices.ContainsFunc(strings.Split(text, "/"), func(s string) bool { return s == "." || s == ".." }):
			return nil, bad("dot segments")
		case strings.Contains(text, `\`) || strings.Contains(text, "/") && !slash:
			return nil, bad("an encoded slash")
		case strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r == 0x7f }):
			return nil, bad("control characters")
		case strings.Contains(text, "%"):
			return nil, bad("an escape within an escape") // an upstream that decodes twice would see another path
		case strings.Contains(text, ";"):
			return nil, bad("path parameters") // which some servers cut off before they match
		case text == "" && i < len(parts)-1:
			return nil, bad("empty segments")
		}
		parts[i] = text
	}
	return parts, nil
}

var effects = []string{"read", "write", "destructive"}

// compile reads routes and sorts them, the most exact first.
func compile(routes []client.Route) ([]route, error) {
	if len(routes) > maxRoutes {
		return nil, invalid("an upstream has at most %d routes", maxRoutes)
	}
	out := make([]route, 0, len(routes))
	for _, r := range routes {
		if r.Method != "*" && !headerForm.MatchString(r.Method) || r.Method != strings.ToUpper(r.Method) {
			return nil, invalid("route %.80q: %.20q is no method", r.Path, r.Method)
		}
		if r.Effect == "" {
			r.Effect = "destructive" // nobody said that it is less
		}
		if !slices.Contains(effects, r.Effect) {
			return nil, invalid("route %.80q: effect is read, write or destructive", r.Path)
		}
		if r.Name == "" {
			r.Name = r.Method + " " + r.Path
		}
		for _, p := range slices.Concat(r.Shows.Amount, r.Shows.Currency, r.Shows.Destination, r.Shows.Recipient) {
			if !strings.HasPrefix(p, "/") && !strings.HasPrefix(p, "query:") || len(p) > 300 {
				return nil, invalid("route %.80q: %.80q says where nothing stands", r.Path, p).WithHint("a JSON Pointer such as /amount, or query:NAME")
			}
		}
		c := route{Route: r}
		list, err := segments(r.Path)
		if err != nil {
			return nil, invalid("route %.80q cannot be read", r.Path).WithCause(err)
		}
		for i, s := range list {
			inside, isParam := strings.CutPrefix(s, "{")
			inside, closed := strings.CutSuffix(inside, "}")
			switch {
			case !isParam && !closed && !strings.ContainsAny(s, "{}*"):
				c.parts = append(c.parts, part{text: s})
			case !isParam || !closed || strings.Trim(inside, ".") == "" || strings.ContainsAny(inside, "{}"):
				return nil, invalid("route %.80q: %.40q is neither a text nor {name}", r.Path, s)
			case strings.HasSuffix(inside, "..."):
				if i != len(list)-1 {
					return nil, invalid("route %.80q: {%s} is last", r.Path, inside)
				}
				c.rest = true
			default:
				c.parts = append(c.parts, part{any: true})
			}
		}
		out = append(out, c)
	}
	slices.SortStableFunc(out, func(x, y route) int {
		for i := range min(len(x.parts), len(y.parts)) {
			if x.parts[i].any != y.parts[i].any {
				return cmp.Compare(rank(x.parts[i].any), rank(y.parts[i].any))
			}
		}
		return cmp.Or(cmp.Compare(len(y.parts), len(x.parts)), cmp.Compare(rank(x.rest), rank(y.rest)), cmp.Compare(rank(x.Method == "*"), rank(y.Method == "*")))
	})
	return out, nil
}

func rank(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Route finds the most exact route for a method and a path as it stands in the
// request line, below the upstream; ok is false when none takes it, and err
// says that the path cannot be read in one way only.
func (u *Upstream) Route(method, escaped string) (r client.Route, ok bool, err error) {
	parts, err := segments(escaped)
	if err != nil {
		return client.Route{}, false, err
	}
	for i := range u.routes {
		if u.routes[i].takes(method, parts) {
			return u.routes[i].Route, true, nil
		}
	}
	return client.Route{}, false, nil
}

func (r *route) takes(method string, parts []string) bool {
	if r.Method != "*" && r.Method != method || len(parts) < len(r.parts) || len(parts) > len(r.parts) && !r.rest {
		return false
	}
	for i, p := range r.parts {
		if p.any && parts[i] == "" || !p.any && p.text != parts[i] {
			return false
		}
	}
	return true
}

// Target is where a path below the upstream leads; its query is passed on.
func (u *Upstream) Target(escaped, query string) (*url.URL, error) {
	if u.Kind == "mcp" && escaped == "" {
		to := *u.base // a server of tools is one address, with or without a slash at its end
		to.RawQuery = query
		return &to, nil
	}
	// The models of Bedrock have ARNs, which have slashes.
	if _, err := split(escaped, u.Dialect == "bedrock"); err != nil {
		return nil, err
	}
	full := strings.TrimSuffix(u.base.EscapedPath(), "/") + escaped
	path, err := url.PathUnescape(full)
	if err != nil {
		return nil, invalid("the path cannot be read")
	}
	return &url.URL{Scheme: u.base.Scheme, Host: u.base.Host, Path: path, RawPath: full, RawQuery: query}, nil
}

// Host is the name or address that calls go to, without port.
func (u *Upstream) Host() string { return u.base.Hostname() }

// Client asks the upstream without following redirects: one that leads
// elsewhere would take the credential along.
func (u *Upstream) Client() *http.Client {
	return &http.Client{Transport: u.send, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}
