package app

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"reeve/client"
)

// An imported export is held against the calls of its days: what agrees, what
// was billed and not seen, what was seen and not billed.
func TestReconcile(t *testing.T) {
	t.Parallel()
	a := start(t, nil)
	c := client.New("http://"+a.Address("listen"), "")
	day := time.Now().UTC().Add(-time.Hour)
	span := func(id, model string, input, output int) string {
		return fmt.Sprintf(`{"traceId":"0102030405060708090a0b0c0d0e0f%s","spanId":"01020304050607%s","name":"chat","startTimeUnixNano":"%d","endTimeUnixNano":"%d","attributes":[
			{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.system","value":{"stringValue":"openai"}},{"key":"gen_ai.request.model","value":{"stringValue":"%s"}},
			{"key":"gen_ai.usage.input_tokens","value":{"intValue":%d}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":%d}}]}`, id, id, day.UnixNano(), day.Add(time.Second).UnixNano(), model, input, output)
	}
	body := `{"resourceSpans":[{"scopeSpans":[{"spans":[` + span("01", "gpt-4o-mini", 1000, 100) + `,` + span("02", "gpt-4o-mini", 500, 50) + `,` + span("03", "gpt-4o", 10, 10) + `]}]}]}`
	if r := post(t.Context(), "http://"+a.Address("otlp_http_listen")+"/v1/traces", "application/json", []byte(body)); r.status != http.StatusOK {
		t.Fatalf("sending: %+v", r)
	}
	file := fmt.Sprintf("date,model,input_tokens,output_tokens,cost\n%[1]s,gpt-4o-mini-2024-07-18,1500,150,\n%[1]s,o3,7,7,1.5\n", day.Format(time.DateOnly))
	inv, err := c.ImportInvoice(t.Context(), client.ImportInvoiceRequest{Name: "export", Text: file})
	if err != nil {
		t.Fatal(err)
	}
	again, err := c.ImportInvoice(t.Context(), client.ImportInvoiceRequest{Name: "export again", Text: file})
	if err != nil || again.ID != inv.ID {
		t.Errorf("the same file again: %+v, %v", again, err)
	}
	var rec *client.Reconciliation
	eventually(t, "the calls beside the export", func() bool {
		if rec, err = c.Reconcile(t.Context(), client.InvoiceRequest{ID: inv.ID}); err != nil {
			t.Fatal(err)
		}
		return len(rec.Rows) == 3 && rec.Agreeing == 1
	})
	got := map[string]string{}
	for _, r := range rec.Rows {
		got[r.Model] = r.State
		if r.Model == "gpt-4o-mini-2024-07-18" && (r.Ours == nil || *r.Calls != 2 || *r.OursInput != 1500 || *r.OursOut != 150) {
			t.Errorf("row %+v", r)
		}
	}
	if got["gpt-4o-mini-2024-07-18"] != "agrees" || got["o3"] != "invoice_only" || got["gpt-4o"] != "ours_only" {
		t.Errorf("states %v", got)
	}
	if list, err := c.ListInvoices(t.Context()); err != nil || len(list.Items) != 1 || list.Items[0].Name != "export again" {
		t.Errorf("invoices %+v: %v", list, err)
	}
	if err := c.DeleteInvoice(t.Context(), client.InvoiceRequest{ID: inv.ID}); err != nil {
		t.Error(err)
	}
	if _, err := c.Reconcile(t.Context(), client.InvoiceRequest{ID: inv.ID}); err == nil {
		t.Error("a deleted invoice can be read")
	}
}
