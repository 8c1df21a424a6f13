package intake

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"reeve/client"
	"reeve/internal/fault"
	"reeve/internal/source"
)

// Sources keeps what is said of data that agents read; *source.Book is one.
type Sources interface {
	Take(ctx context.Context, from source.Sender, f *source.Facts) error
	AddDocuments(ctx context.Context, from source.Sender, name string, all []client.SourceDocument) (client.Accepted, error)
}

// The paths of lineage. The first two are OpenLineage's own.
const (
	lineagePath   = "/api/v1/lineage"
	batchPath     = "/api/v1/lineage/batch"
	artefactPath  = "/api/v1/lineage/artefacts"
	documentsPath = "/api/v1/sources/{name}/documents"
)

// lineagePaths are what serveLineage takes, as patterns of a mux.
func lineagePaths() []string {
	return []string{lineagePath, batchPath, artefactPath, "POST " + documentsPath}
}

// isLineage reports a path of serveLineage.
func isLineage(path string) bool {
	return path == lineagePath || path == batchPath || path == artefactPath || strings.HasPrefix(path, "/api/v1/sources/")
}

// serveLineage takes events and artefacts about data, and answers how much of
// them was kept.
func (in *Intake) serveLineage(w http.ResponseWriter, r *http.Request) {
	var out client.Accepted
	err := in.checkLineage(r)
	if err == nil {
		err = in.take(w, r, func(ctx context.Context, work *worker, from Sender) (err error) {
			out, err = in.lineage(ctx, r, work.body, source.Sender{Team: from.Team, Environment: from.Environment})
			return err
		})
	}
	if err != nil {
		in.refuse(w, true, err)
		return
	}
	body, err := json.Marshal(out)
	if err != nil {
		in.refuse(w, true, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write(body) // the sender left: nobody to tell
}

func (in *Intake) checkLineage(r *http.Request) error {
	if in.sources == nil {
		return fault.New(fault.KindUnavailable, "intake.no_sources", "this server keeps no lineage")
	}
	asJSON, err := contentType(r)
	if err == nil && !asJSON {
		err = fault.New(fault.KindInvalid, "intake.media_type", "lineage is JSON").WithHint("send application/json")
	}
	return err
}

func (in *Intake) lineage(ctx context.Context, r *http.Request, body []byte, from source.Sender) (client.Accepted, error) {
	now := in.now()
	if name, ok := strings.CutPrefix(r.URL.Path, "/api/v1/sources/"); ok {
		name, _ = strings.CutSuffix(name, "/documents")
		var all client.SourceDocuments
		if err := json.Unmarshal(body, &all); err != nil {
			return client.Accepted{}, fault.New(fault.KindInvalid, "intake.malformed", "the body is not a list of documents").WithCause(err).WithHint(`send {"documents":[{"id","version","crawled_at"}]}`)
		}
		return in.sources.AddDocuments(ctx, from, name, all.Documents)
	}
	read := func() (*source.Facts, error) { return source.Lineage(body, now) }
	if r.URL.Path == artefactPath {
		read = func() (*source.Facts, error) { return source.Artefact(body, r.URL.Query().Get("namespace"), now) }
	}
	f, err := read()
	if err != nil {
		return client.Accepted{}, err
	}
	in.stats.rejected.Add(int64(f.Rejected))
	in.stats.last.Store(now.UnixNano())
	out := client.Accepted{Accepted: len(f.Runs) + len(f.Versions) + len(f.Checks) + len(f.Edges), Rejected: f.Rejected, Reasons: f.Reasons}
	return out, in.sources.Take(ctx, from, f)
}
