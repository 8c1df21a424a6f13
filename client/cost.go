package client

import "time"

// Invoice is a provider's invoice or usage export as it was read.
type Invoice struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Format    string    `json:"format"`         // openai-usage, openai-costs, anthropic-usage, anthropic-cost, focus, cur, csv
	Rate      *float64  `json:"rate,omitempty"` // dollars for one unit of its currency
	Lines     int64     `json:"lines"`
	FirstDay  string    `json:"first_day"`
	LastDay   string    `json:"last_day"`
	Person    string    `json:"person,omitempty"`
	CreatedAt time.Time `json:"created_at"`
}

// ImportInvoiceRequest reads a file. The same file again is the same invoice.
type ImportInvoiceRequest struct {
	Name   string  `json:"name"`
	Format string  `json:"format,omitempty"` // "" finds it out
	Rate   float64 `json:"rate,omitempty"`
	Text   string  `json:"text"` // the file
}

// InvoiceRequest names an invoice.
type InvoiceRequest struct {
	ID string `path:"id"`
}

// Reconciliation is an invoice beside what was counted here.
type Reconciliation struct {
	Invoice    Invoice             `json:"invoice"`
	Currency   string              `json:"currency"`   // of the invoice
	Amount     *float64            `json:"amount"`     // of the invoice, in its currency; nil: it has no money
	Ours       *float64            `json:"ours"`       // dollars counted here on its days
	Difference *float64            `json:"difference"` // ours less theirs in dollars, of what both have
	Agreeing   int64               `json:"agreeing"`   // rows within a hundredth
	Other      int64               `json:"other"`
	Rows       []ReconciliationRow `json:"rows"`
}

// ReconciliationRow is one day and model of both sides. What a side does not say
// is null.
type ReconciliationRow struct {
	Day          string   `json:"day"`
	Model        string   `json:"model"` // "" for lines that name none
	State        string   `json:"state"` // agrees, more, less, invoice_only, ours_only, unknown: ours against theirs
	Amount       *float64 `json:"amount"`
	Ours         *float64 `json:"ours"`
	Difference   *float64 `json:"difference"`
	Share        *float64 `json:"share"` // the difference, of the invoice
	InvoiceInput *int64   `json:"invoice_input_tokens"`
	OursInput    *int64   `json:"ours_input_tokens"`
	InvoiceOut   *int64   `json:"invoice_output_tokens"`
	OursOut      *int64   `json:"ours_output_tokens"`
	Calls        *int64   `json:"calls"` // counted here
	Why          []string `json:"why,omitempty"`
}
