package poll

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"reeve/internal/fault"
)

// s3 reads Bedrock's invocation logs from a bucket. Keys begin with the hour and
// are listed in their order, so the place is the last key; late files of the
// hours that are read again are found by their keys.
type s3 struct{ *worker }

func (s3) kind() Kind { return Invocations }

const (
	keysOnPage = "200"
	pageBytes  = 8 << 20 // a page ends behind the file that reaches it
	maxFile    = 64 << 20
)

func (f s3) next(ctx context.Context, at position, seen func(string) bool) (got page, err error) {
	after := at.key
	if after == "" {
		after = f.d.Prefix + time.Unix(0, f.begin(at)).UTC().Format("2006/01/02/15")
	}
	q := url.Values{"list-type": {"2"}, "prefix": {f.d.Prefix}, "start-after": {after}, "max-keys": {keysOnPage}}
	body, err := f.get(ctx, "/?"+strings.ReplaceAll(q.Encode(), "+", "%20"), maxAnswer)
	if err != nil {
		return got, err
	}
	var list struct {
		XMLName  xml.Name `xml:"ListBucketResult"`
		Contents []struct {
			Key  string
			Size int64
		}
		IsTruncated bool
	}
	if err := xml.Unmarshal(body, &list); err != nil {
		return got, fault.New(fault.KindUnavailable, "poll.answer", "%s did not answer with a list of keys", f.base.Host).WithCause(err)
	}
	got.next, got.more, got.listed = at, list.IsTruncated, len(list.Contents)
	size := 0
	for i, c := range list.Contents {
		if c.Key <= after || !strings.HasPrefix(c.Key, f.d.Prefix) {
			return got, fault.New(fault.KindUnavailable, "poll.answer", "%s lists keys that were not asked for", f.base.Host)
		}
		got.next.key = c.Key
		hour, ok := hourOf(c.Key[len(f.d.Prefix):])
		if !ok || !logFile(c.Key) {
			continue
		}
		got.next.Through = max(got.next.Through, hour)
		if seen(c.Key) {
			continue
		}
		text, err := f.file(ctx, c.Key)
		if errors.Is(err, errBadFile) {
			f.p.o.Logger.Warn("a file of Bedrock's log cannot be read", "poller", f.d.Name, "key", c.Key, "err", err)
			got.next.Rejected++
			text, err = nil, nil
		}
		if err != nil {
			return got, err
		}
		got.next.Records += int64(bytes.Count(text, []byte("\n")))
		if len(text) > 0 && text[len(text)-1] != '\n' {
			got.next.Records++
		}
		got.items = append(got.items, parts(c.Key, hour, text)...)
		if size += len(text); size >= pageBytes && i+1 < len(list.Contents) {
			got.more = true
			break
		}
	}
	return got, nil
}

// parts cuts a file at lines into what is delivered at once; the last part has
// the key, so that a file is seen only when all of it was taken.
func parts(key string, at int64, text []byte) (out []item) {
	for len(text) > deliverBytes {
		cut := bytes.LastIndexByte(text[:deliverBytes], '\n') + 1
		if cut == 0 {
			if cut = bytes.IndexByte(text, '\n') + 1; cut == 0 {
				break
			}
		}
		out = append(out, item{id: key, at: at, body: text[:cut]})
		text = text[cut:]
	}
	return append(out, item{id: key, at: at, body: text})
}

// hourOf reads 2026/11/27/14 at the head of a key.
func hourOf(rest string) (int64, bool) {
	const form = "2006/01/02/15"
	if len(rest) <= len(form) || rest[len(form)] != '/' {
		return 0, false
	}
	t, err := time.Parse(form, rest[:len(form)])
	return t.UnixNano(), err == nil
}

// logFile leaves out the bodies that are kept apart, below data/.
func logFile(key string) bool {
	return (strings.HasSuffix(key, ".json.gz") || strings.HasSuffix(key, ".json")) && !strings.Contains(key, "/data/")
}

var errBadFile = errors.New("it is no gzip of at most 64 MB")

// file is a file's lines.
func (f s3) file(ctx context.Context, key string) ([]byte, error) {
	parts := strings.Split(key, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	body, err := f.get(ctx, "/"+strings.Join(parts, "/"), maxFile)
	if err != nil || len(body) < 2 || body[0] != 0x1f || body[1] != 0x8b {
		return body, err
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, errors.Join(errBadFile, err)
	}
	text, err := io.ReadAll(io.LimitReader(z, maxFile+1))
	if err != nil || len(text) > maxFile {
		return nil, errors.Join(errBadFile, err)
	}
	return text, nil
}

func (f s3) get(ctx context.Context, path string, most int64) ([]byte, error) {
	req, err := http.NewRequest(http.MethodGet, f.base.String()+path, nil)
	if err != nil {
		return nil, fault.New(fault.KindUnavailable, "poll.answer", "%s names a key that is no address", f.base.Host).WithCause(err)
	}
	if err := f.authorize(ctx, req); err != nil {
		return nil, err
	}
	return call(ctx, f.remote, req, most)
}
