package cost

import (
	"cmp"
	"context"
	"encoding/json"
	"math"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode"

	"reeve/internal/audit"
	"reeve/internal/control"
	"reeve/internal/fault"
)

// Settings are how an organisation counts money.
type Settings struct {
	Currency string   `json:"currency"`          // that figures are shown in
	Zone     string   `json:"zone"`              // of its days and months: an IANA name
	Hour     float64  `json:"hour,omitempty"`    // what an hour of people's time costs, in Currency; 0: nobody said
	Rates    []Rate   `json:"rates,omitempty"`   // by currency and date
	Centres  []Centre `json:"centres,omitempty"` // the first that fits counts
	Report   Report   `json:"report,omitzero"`

	Revision int64     `json:"-"`
	By       string    `json:"-"`
	At       time.Time `json:"-"`
}

// Rate is what one unit of a currency is worth in dollars from a day on, until the
// next rate of that currency.
type Rate struct {
	Currency string  `json:"currency"`
	From     string  `json:"from"` // 2026-01-31
	Dollars  float64 `json:"dollars"`
}

// Centre says which cost centre pays. Empty fields fit everything, a star at the
// end fits all that begin so.
type Centre struct {
	Centre      string `json:"centre"`
	Team        string `json:"team,omitempty"`
	Agent       string `json:"agent,omitempty"`
	Environment string `json:"environment,omitempty"`
}

// Report is the monthly report by mail.
type Report struct {
	Channel string   `json:"channel,omitempty"` // a channel of kind mail; "" sends nothing
	To      []string `json:"to,omitempty"`
	Day     int      `json:"day,omitempty"` // of the month after; 1 by default

	Since time.Time `json:"since,omitzero"` // when it was first wanted
}

// Limits of settings.
const (
	maxRates   = 5000
	maxCentres = 500
	maxName    = 100
)

func goodCurrency(s string) bool {
	return len(s) == 3 && !strings.ContainsFunc(s, func(r rune) bool { return r < 'A' || r > 'Z' })
}

func goodLine(s string, most int) bool {
	return len(s) <= most && !strings.ContainsFunc(s, unicode.IsControl)
}

// check says what is wrong, and puts rates in order.
func (s *Settings) check() error {
	s.Currency, s.Zone = cmp.Or(strings.ToUpper(s.Currency), "USD"), cmp.Or(s.Zone, "UTC")
	if !goodCurrency(s.Currency) {
		return invalid("currency is three letters such as EUR, not %.20q", s.Currency)
	}
	if _, err := zone(s.Zone); err != nil {
		return err
	}
	if math.IsNaN(s.Hour) || s.Hour < 0 || s.Hour > 1e6 {
		return invalid("hour is what an hour of people costs, 0 to 1e6")
	}
	if len(s.Rates) > maxRates || len(s.Centres) > maxCentres {
		return invalid("at most %d rates and %d cost centres", maxRates, maxCentres)
	}
	seen := map[Rate]bool{}
	for i := range s.Rates {
		r := &s.Rates[i]
		r.Currency = strings.ToUpper(r.Currency)
		_, err := time.Parse(time.DateOnly, r.From)
		key := Rate{Currency: r.Currency, From: r.From}
		switch {
		case !goodCurrency(r.Currency) || r.Currency == "USD":
			return invalid("rates[%d].currency is three letters, and not USD, which rates are in", i)
		case err != nil:
			return invalid("rates[%d].from is a day such as 2026-01-31, not %.20q", i, r.From)
		case !(r.Dollars > 0) || math.IsInf(r.Dollars, 0) || r.Dollars > 1e6 || r.Dollars < 1e-9:
			return invalid("rates[%d].dollars is what one %s is worth in USD", i, r.Currency)
		case seen[key]:
			return invalid("rates[%d]: there are two rates of %s from %s", i, r.Currency, r.From)
		}
		seen[key] = true
	}
	slices.SortFunc(s.Rates, func(x, y Rate) int {
		return cmp.Or(strings.Compare(x.Currency, y.Currency), strings.Compare(x.From, y.From))
	})
	if s.Currency != "USD" && !slices.ContainsFunc(s.Rates, func(r Rate) bool { return r.Currency == s.Currency }) {
		return invalid("figures cannot be shown in %s: it has no rate", s.Currency).WithHint("give rates with currency, from and dollars")
	}
	for i, c := range s.Centres {
		if c.Centre == "" || !goodLine(c.Centre, maxName) || !goodLine(c.Team, maxName) || !goodLine(c.Agent, maxName) || !goodLine(c.Environment, maxName) {
			return invalid("centres[%d] needs a centre of at most %d bytes, and a team, agent or environment that it pays for", i, maxName)
		}
	}
	return s.Report.check()
}

func (r *Report) check() error {
	if r.Channel == "" && len(r.To) == 0 {
		r.Day = 0
		return nil
	}
	if r.Channel == "" || !goodLine(r.Channel, maxName) || len(r.To) > 50 {
		return invalid("report needs a channel of kind mail, and at most 50 addresses")
	}
	for i, to := range r.To {
		if a, err := mail.ParseAddress(to); err != nil || a.Address != to {
			return invalid("report.to[%d]: %.80q is no address", i, to)
		}
	}
	if r.Day = cmp.Or(r.Day, 1); r.Day < 1 || r.Day > 28 {
		return invalid("report.day is a day of the month after, 1 to 28")
	}
	return nil
}

// zone finds a zone of time. "Local" would be the server's, which is nobody's.
func zone(name string) (*time.Location, error) {
	if name == "Local" || len(name) > maxName {
		return nil, invalid("zone is a name such as Europe/Vienna")
	}
	z, err := time.LoadLocation(name)
	if err != nil {
		return nil, invalid("there is no zone %.60q", name).WithHint("an IANA name such as Europe/Vienna, or UTC")
	}
	return z, nil
}

// Location is the zone of days and months.
func (s *Settings) Location() *time.Location {
	z, err := zone(s.Zone)
	if err != nil {
		return time.UTC // checked when it was set
	}
	return z
}

// Centre is who pays for a call; "" is nobody that anybody named. Label is the
// agent's own label cost_centre, which counts where no rule fits.
func (s *Settings) Centre(team, agent, environment, label string) string {
	for i := range s.Centres {
		c := &s.Centres[i]
		if fits(c.Team, team) && fits(c.Agent, agent) && fits(c.Environment, environment) {
			return c.Centre
		}
	}
	return label
}

func fits(pattern, name string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(name, prefix)
	}
	return pattern == "" || pattern == name
}

func scanSettings(r control.Row) (s Settings, err error) {
	var body, by string
	var revision, at int64
	if err := r.Scan(&revision, &body, &by, &at); err != nil {
		return s, err
	}
	if err := json.Unmarshal([]byte(body), &s); err != nil {
		return s, fault.New(fault.KindInternal, "cost.stored", "stored settings of cost cannot be read").WithCause(err)
	}
	s.Revision, s.By, s.At = revision, by, control.Time(at)
	return s, nil
}

// Actor is who changes settings.
type Actor struct{ Person, Via string }

// Put keeps settings as the revision after the one that was read.
func (b *Book) Put(ctx context.Context, who Actor, s Settings) (Settings, error) {
	if err := s.check(); err != nil {
		return s, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if s.Revision != b.is.Revision {
		return s, fault.New(fault.KindConflict, "cost.conflict", "the settings are at revision %d, not %d", b.is.Revision, s.Revision).WithHint("read them again and repeat the change")
	}
	s.Revision, s.By, s.At = s.Revision+1, who.Person, b.o.Now().UTC().Truncate(time.Microsecond)
	switch {
	case s.Report.Channel == "":
		s.Report.Since = time.Time{}
	case b.is.Report.Channel == "":
		s.Report.Since = s.At
	default:
		s.Report.Since = b.is.Report.Since
	}
	body, err := json.Marshal(s)
	if err != nil {
		return s, err
	}
	err = b.o.DB.Write(ctx, func(tx *control.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO cost_settings (revision, body, person, at) VALUES (?, ?, ?, ?)`, s.Revision, string(body), who.Person, control.Micros(s.At)); err != nil {
			return err
		}
		return audit.Append(ctx, tx, audit.Record{Kind: "admin.cost_settings", Person: who.Person, Via: who.Via, Action: "put", Object: "cost", Before: b.is, After: s})
	})
	if err == nil {
		b.is = s
	}
	return s, err
}
