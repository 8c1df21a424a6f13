// Package cost says who pays for what, what it will come to, and what of it could
// be saved.
//
// What for: a bill from a model provider names no agent, no team and no user. The
// priced calls do; this package adds them up by whatever people are asked about,
// in the organisation's currency and months, with the share that nobody knows.
//
// Who calls it: api asks all questions with its caller's reach; app runs it and
// gives it a mouth for the monthly report.
//
// Promises: it counts nothing itself. What is asked goes to the store of telemetry
// each time, so a figure is that of its records. Money without a price, or in a
// currency without a rate, is unknown and counted as calls, never zero. Settings
// change with an audit record; a report is sent once a month. Safe for concurrent
// use.
//
// How it fails: cost.invalid for what cannot be, cost.conflict for settings that
// changed meanwhile, cost.too_many_rates where a period has more rates than it can
// be cut into.
//
// Start reading at Settings, then Split; forecast.go, depend.go, save.go and
// export.go are one question each.
package cost

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"reeve/internal/control"
	"reeve/internal/fault"
	"reeve/internal/telemetry"
)

// Ask answers a question about telemetry within the asker's reach, of at most so
// many rows as the query's limit says.
type Ask func(ctx context.Context, q telemetry.Query) (*telemetry.Result, error)

// Options of a Book. DB is required.
type Options struct {
	DB     *control.DB
	Now    func() time.Time
	Logger *slog.Logger
}

// Book keeps the settings. Make one with New.
type Book struct {
	o Options

	mu sync.RWMutex // guards is
	is Settings
}

// New reads the settings.
func New(ctx context.Context, o Options) (*Book, error) {
	if o.DB == nil {
		return nil, errors.New("cost: a database is required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	b := &Book{o: o}
	is, ok, err := control.One(ctx, o.DB, scanSettings, `SELECT revision, body, person, at FROM cost_settings ORDER BY revision DESC LIMIT 1`)
	if err != nil {
		return nil, err
	}
	if !ok {
		is = Settings{Currency: "USD", Zone: "UTC"}
	}
	b.is = is
	return b, nil
}

// In is the book with figures in another currency and days of UTC: what budgets
// count in.
func (b *Book) In(currency string) *Book {
	is := b.Settings()
	if is.Currency != currency {
		is.Currency, is.Hour = currency, 0 // the hour was said in the other one
	}
	is.Zone = "UTC"
	return &Book{o: b.o, is: is}
}

// Settings are those in force.
func (b *Book) Settings() Settings {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.is
}

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.KindInvalid, "cost.invalid", format, args...)
}
