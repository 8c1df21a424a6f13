package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/klauspost/compress/gzip"
)

// Target is where a load goes.
type Target struct {
	Endpoint string // http://host:4318 or grpc://host:4317
	Key      string // intake key, sent as Bearer; "" sends none
	Gzip     bool
}

// sendResult is what a server said to one body.
type sendResult struct {
	accepted   bool
	rejected   int64         // spans that partial_success refused
	retryAfter time.Duration // when it is busy
	err        error
}

// sender posts bodies over one connection pool. Safe for concurrent use.
type sender interface {
	send(ctx context.Context, body []byte) sendResult
	close()
}

func newSender(t Target, connections int) (sender, error) {
	u, err := url.Parse(t.Endpoint)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("endpoint %q: want http://host:port or grpc://host:port", t.Endpoint)
	}
	if u.Scheme == "grpc" {
		return newGRPCSender(t, u.Host)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/v1/traces"
	}
	return &httpSender{t: t, url: u.String(), client: &http.Client{
		Timeout: 60 * time.Second,
		Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections,
			DisableCompression: true, WriteBufferSize: 64 << 10,
		},
	}}, nil
}

type httpSender struct {
	t      Target
	url    string
	client *http.Client
}

func (s *httpSender) send(ctx context.Context, body []byte) sendResult {
	if s.t.Gzip {
		var buf bytes.Buffer
		w := gzip.NewWriter(&buf)
		if _, err := w.Write(body); err != nil {
			return sendResult{err: err}
		}
		if err := w.Close(); err != nil {
			return sendResult{err: err}
		}
		body = buf.Bytes()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return sendResult{err: err}
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	if s.t.Gzip {
		req.Header.Set("Content-Encoding", "gzip")
	}
	if s.t.Key != "" {
		req.Header.Set("Authorization", "Bearer "+s.t.Key)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return sendResult{err: err}
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return sendResult{err: err} // the answer never came whole: it is no acknowledgement
	}
	switch resp.StatusCode {
	case http.StatusOK, http.StatusAccepted, http.StatusNoContent:
		return sendResult{accepted: true, rejected: partialSuccess(answer)}
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return sendResult{retryAfter: retryAfter(resp.Header.Get("Retry-After")), err: fmt.Errorf("busy: %s", resp.Status)}
	}
	return sendResult{err: fmt.Errorf("refused: %s: %.200s", resp.Status, answer)}
}

func (s *httpSender) close() { s.client.CloseIdleConnections() }

// retryAfter reads seconds; a server that says nothing gets half a second.
func retryAfter(h string) time.Duration {
	if n, err := strconv.ParseFloat(strings.TrimSpace(h), 64); err == nil && n > 0 && n < 600 {
		return time.Duration(n * float64(time.Second))
	}
	return 500 * time.Millisecond
}

// partialSuccess reads rejected_spans out of an export answer; 0 when there is
// none.
func partialSuccess(answer []byte) int64 {
	for len(answer) > 0 {
		num, typ, n := protowire.ConsumeTag(answer)
		if n < 0 {
			return 0
		}
		answer = answer[n:]
		if num == 1 && typ == protowire.BytesType {
			inner, n := protowire.ConsumeBytes(answer)
			if n < 0 {
				return 0
			}
			if num, typ, n := protowire.ConsumeTag(inner); n > 0 && num == 1 && typ == protowire.VarintType {
				v, _ := protowire.ConsumeVarint(inner[n:])
				return int64(v)
			}
			return 0
		}
		n = protowire.ConsumeFieldValue(num, typ, answer)
		if n < 0 {
			return 0
		}
		answer = answer[n:]
	}
	return 0
}

type grpcSender struct {
	t    Target
	conn *grpc.ClientConn
}

// rawCodec passes bytes through: the bodies are encoded already.
type rawCodec struct{}

func (rawCodec) Name() string { return "proto" }

func (rawCodec) Marshal(v any) ([]byte, error) {
	b, ok := v.(*[]byte)
	if !ok {
		return nil, fmt.Errorf("want bytes, not %T", v)
	}
	return *b, nil
}

func (rawCodec) Unmarshal(data []byte, v any) error {
	b, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("want bytes, not %T", v)
	}
	*b = append((*b)[:0], data...)
	return nil
}

func newGRPCSender(t Target, host string) (sender, error) {
	conn, err := grpc.NewClient(host,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(rawCodec{}), grpc.MaxCallSendMsgSize(64<<20)))
	if err != nil {
		return nil, fmt.Errorf("dialling %s: %w", host, err)
	}
	return &grpcSender{t, conn}, nil
}

func (s *grpcSender) send(ctx context.Context, body []byte) sendResult {
	if s.t.Key != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+s.t.Key)
	}
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	var opts []grpc.CallOption
	if s.t.Gzip {
		opts = append(opts, grpc.UseCompressor("gzip"))
	}
	var answer []byte
	err := s.conn.Invoke(ctx, "/opentelemetry.proto.collector.trace.v1.TraceService/Export", &body, &answer, opts...)
	if err == nil {
		return sendResult{accepted: true, rejected: partialSuccess(answer)}
	}
	st := status.Convert(err)
	if st.Code() == codes.ResourceExhausted || st.Code() == codes.Unavailable {
		wait := 500 * time.Millisecond
		for _, d := range st.Details() {
			if r, ok := d.(*errdetails.RetryInfo); ok {
				wait = r.GetRetryDelay().AsDuration()
			}
		}
		if st.Code() == codes.ResourceExhausted {
			return sendResult{retryAfter: wait, err: err}
		}
	}
	return sendResult{err: err}
}

func (s *grpcSender) close() { _ = s.conn.Close() }

// wait sleeps unless ctx ends first.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}
