package cli

import (
	"flag"
	"fmt"
	"slices"
	"strings"

	"reeve/client"
)

// routeFlags say what may be called of an API: all of it anew, or what changes.
type routeFlags struct{ all, add, remove texts }

func (l *routeFlags) bind(fs *flag.FlagSet) {
	fs.Var(&l.all, "route", `what may be called, in place of what might be: "METHOD PATH EFFECT [amount=/path] [currency=/path] [destination=/path] [recipient=/path]"; several`)
	fs.Var(&l.add, "add-route", "the same, beside what may be called already; one of the same method and path takes the other's place; several")
	fs.Var(&l.remove, "remove-route", `what may not be called any more: "METHOD PATH"; several`)
}

// merged are the routes that are there with the flags; anew is that --route was
// given.
func (l *routeFlags) merged(there []client.Route, anew bool) ([]client.Route, error) {
	if anew && len(l.add)+len(l.remove) > 0 {
		return nil, fmt.Errorf("%w: --route says all routes, --add-route and --remove-route some", errUsage)
	}
	out := slices.Clone(there)
	if anew {
		out = nil
	}
	for _, text := range l.remove {
		f := strings.Fields(text)
		if len(f) != 2 {
			return nil, fmt.Errorf("%w: --remove-route %q is not METHOD PATH", errUsage, text)
		}
		i := routeAt(out, f[0], f[1])
		if i < 0 {
			return nil, fmt.Errorf("there is no route %s %s", f[0], f[1])
		}
		out = slices.Delete(out, i, i+1)
	}
	for _, text := range slices.Concat(l.all, l.add) {
		route, err := readRoute(text)
		if err != nil {
			return nil, err
		}
		if i := routeAt(there, route.Method, route.Path); i >= 0 { // what no flag says of it stays
			route.Name, route.Classes = there[i].Name, there[i].Classes
		}
		if i := routeAt(out, route.Method, route.Path); i >= 0 && !anew {
			out[i] = route
			continue
		}
		out = append(out, route)
	}
	return out, nil
}

func routeAt(list []client.Route, method, path string) int {
	return slices.IndexFunc(list, func(r client.Route) bool { return r.Method == method && r.Path == path })
}

func readRoute(text string) (client.Route, error) {
	f := strings.Fields(text)
	if len(f) < 3 {
		return client.Route{}, fmt.Errorf("%w: the route %q is not METHOD PATH EFFECT", errUsage, text)
	}
	route := client.Route{Method: f[0], Path: f[1], Effect: f[2]}
	for _, word := range f[3:] {
		if err := routeShows(&route.Shows, word); err != nil {
			return route, err
		}
	}
	return route, nil
}

// routeShows reads amount=/path and the like: what a person looks at first when a
// call of the route waits for them.
func routeShows(s *client.Shows, word string) error {
	name, path, _ := strings.Cut(word, "=")
	into := map[string]*[]string{"amount": &s.Amount, "currency": &s.Currency, "destination": &s.Destination, "recipient": &s.Recipient}[name]
	if into == nil || path == "" {
		return fmt.Errorf("%w: a route ends in amount=, currency=, destination= or recipient= and a JSON Pointer, not %q", errUsage, word)
	}
	*into = append(*into, path)
	return nil
}

// routeText is a route as its flag has it.
func routeText(r *client.Route) string {
	words := []string{r.Method, r.Path, r.Effect}
	for _, s := range []struct {
		name  string
		paths []string
	}{{"amount", r.Shows.Amount}, {"currency", r.Shows.Currency}, {"destination", r.Shows.Destination}, {"recipient", r.Shows.Recipient}} {
		for _, path := range s.paths {
			words = append(words, s.name+"="+path)
		}
	}
	return strings.Join(words, " ")
}

// routeChanges are the routes that went and came, a line each.
func routeChanges(before, after []client.Route) (out []string) {
	texts := func(list []client.Route) (out []string) {
		for i := range list {
			out = append(out, routeText(&list[i]))
		}
		return out
	}
	old, now := texts(before), texts(after)
	for _, text := range old {
		if !slices.Contains(now, text) {
			out = append(out, "- "+text)
		}
	}
	for _, text := range now {
		if !slices.Contains(old, text) {
			out = append(out, "+ "+text)
		}
	}
	return out
}
