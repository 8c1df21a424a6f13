package poll

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"reeve/internal/fault"
)

// dataverse reads Copilot Studio's transcripts with Dataverse's Web API. Rows
// come in the order in which they were changed, so the place moves with each
// page; a row is known by its id and its change.
type dataverse struct{ *worker }

func (dataverse) kind() Kind { return Transcripts }

const (
	rowsPath   = "/api/data/v9.2/conversationtranscripts"
	rowsWanted = "conversationtranscriptid,name,content,conversationstarttime,createdon,modifiedon,metadata,schematype,schemaversion,_bot_conversationtranscriptid_value"
	rowsOnPage = "50"
)

func (f dataverse) next(ctx context.Context, at position, seen func(string) bool) (got page, err error) {
	address := at.token
	if address == "" {
		filter := "modifiedon ge " + time.Unix(0, f.begin(at)).UTC().Format(time.RFC3339)
		if f.d.Filter != "" {
			filter += " and (" + f.d.Filter + ")"
		}
		q := url.Values{"$select": {rowsWanted}, "$filter": {filter}, "$orderby": {"modifiedon asc,conversationtranscriptid asc"}}
		address = f.base.String() + rowsPath + "?" + q.Encode()
	}
	body, err := f.get(ctx, address)
	if err != nil {
		return got, err
	}
	var v struct {
		Value []json.RawMessage `json:"value"`
		Next  string            `json:"@odata.nextLink"`
	}
	if err := json.Unmarshal(body, &v); err != nil || v.Value == nil {
		return got, fault.New(fault.KindUnavailable, "poll.answer", "%s did not answer with rows", f.base.Host).WithCause(err)
	}
	if v.Next != "" && !f.own(v.Next) {
		return got, fault.New(fault.KindUnavailable, "poll.answer", "%s names a next page elsewhere", f.base.Host)
	}
	got.next, got.more, got.listed = at, v.Next != "", len(v.Value)
	got.next.token = v.Next
	for _, raw := range v.Value {
		var row struct {
			ID       string    `json:"conversationtranscriptid"`
			Modified time.Time `json:"modifiedon"`
			Created  time.Time `json:"createdon"`
		}
		if err := json.Unmarshal(raw, &row); err != nil || row.ID == "" {
			got.next.Rejected++
			continue
		}
		if row.Modified.IsZero() {
			row.Modified = row.Created
		}
		changed := row.Modified.UnixNano()
		if row.Modified.Year() < 2000 {
			changed = f.begin(at)
		}
		got.next.Through = max(got.next.Through, changed)
		if id := row.ID + " " + row.Modified.UTC().Format(time.RFC3339); !seen(id) {
			got.items = append(got.items, item{id: id, at: changed, body: raw})
			got.next.Records++
		}
	}
	return got, nil
}

// own reports whether an address is of the system that was asked: the token goes
// nowhere else.
func (f dataverse) own(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == f.base.Scheme && u.Host == f.base.Host && u.User == nil
}

// get asks once more with a new token where the old one is refused: it may have
// been revoked before its time.
func (f dataverse) get(ctx context.Context, address string) ([]byte, error) {
	body, err := f.ask(ctx, address)
	var refused *fault.Error
	if errors.As(err, &refused) && refused.Code == "poll.credential" && f.dropToken() {
		body, err = f.ask(ctx, address)
	}
	return body, err
}

func (f dataverse) ask(ctx context.Context, address string) ([]byte, error) {
	req, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		return nil, fault.New(fault.KindUnavailable, "poll.answer", "%s names a page that is no address", f.base.Host).WithCause(err)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("OData-Version", "4.0")
	req.Header.Set("OData-MaxVersion", "4.0")
	req.Header.Set("Prefer", `odata.maxpagesize=`+rowsOnPage+`,odata.include-annotations="OData.Community.Display.V1.FormattedValue"`)
	if err := f.authorize(ctx, req); err != nil {
		return nil, err
	}
	return call(ctx, f.remote, req, maxAnswer)
}
