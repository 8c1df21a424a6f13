package intake

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"math"
	"net"
	"runtime/debug"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	grpccreds "google.golang.org/grpc/credentials"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"
	"google.golang.org/protobuf/types/known/durationpb"

	"reeve/internal/fault"
	"reeve/internal/relay"
)

// services are OTLP's three, one method each, with the name Export.
var services = [...]string{
	traces:  "opentelemetry.proto.collector.trace.v1.TraceService",
	logs:    "opentelemetry.proto.collector.logs.v1.LogsService",
	metrics: "opentelemetry.proto.collector.metrics.v1.MetricsService",
}

// streams bounds the calls at once on one connection: exporters use a handful.
const streams = 32

// ServeGRPC serves OTLP/gRPC on l until ctx ends, then lets calls finish for a
// while and closes l. certificates may be nil on loopback.
func (in *Intake) ServeGRPC(ctx context.Context, l net.Listener, certificates *tls.Config) error {
	s := in.grpcServer(certificates)
	failed := make(chan error, 1)
	go func() { failed <- s.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serving OTLP/gRPC: %w", err)
	case <-ctx.Done():
	}
	stopped := make(chan struct{})
	go func() { s.GracefulStop(); close(stopped) }()
	select {
	case <-stopped:
	case <-time.After(stopGrace):
		s.Stop() // ends GracefulStop too
		<-stopped
	}
	<-failed
	return nil
}

// stopGrace is how long calls may take to finish once the end has begun.
const stopGrace = 5 * time.Second

func (in *Intake) grpcServer(certificates *tls.Config) *grpc.Server {
	registerCompressors()
	options := []grpc.ServerOption{
		grpc.ForceServerCodecV2(rawCodec{}),
		grpc.MaxRecvMsgSize(int(min(in.config.MaxBody, math.MaxInt32))),
		grpc.MaxConcurrentStreams(streams),
		grpc.InTapHandle(func(ctx context.Context, _ *tap.Info) (context.Context, error) {
			// Before the body is read: what is full stays full.
			if in.limits.full() {
				return ctx, status.Error(codes.ResourceExhausted, "intake.busy: too much is being taken in at this moment")
			}
			return ctx, nil
		}),
	}
	if certificates != nil {
		options = append(options, grpc.Creds(grpccreds.NewTLS(certificates)))
	}
	s := grpc.NewServer(options...)
	for sig, name := range services {
		s.RegisterService(&grpc.ServiceDesc{
			ServiceName: name,
			Methods: []grpc.MethodDesc{{
				MethodName: "Export",
				Handler: func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
					return in.export(ctx, signal(sig), decode)
				},
			}},
		}, nil)
	}
	return s
}

func (in *Intake) export(ctx context.Context, sig signal, decode func(any) error) (reply any, err error) {
	in.stats.requests.Add(1)
	defer func() {
		// gRPC recovers nothing: a bug met by one request must not end the rest.
		if v := recover(); v != nil {
			in.logger.Error("panic while taking a request", "err", v, "stack", string(debug.Stack()))
			reply, err = nil, fault.New(fault.KindInternal, "intake.internal", "this request could not be taken").WithHint("send the rest; the server's log has the cause, which is a bug of Reeve")
		}
		if err != nil {
			in.stats.refused.Add(1)
			err = grpcError(err)
		}
	}()
	md, _ := metadata.FromIncomingContext(ctx)
	header := func(name string) string {
		if v := md.Get(name); len(v) > 0 {
			return v[0]
		}
		return ""
	}
	from, err := in.identify(ctx, credentials(header))
	if err != nil {
		return nil, err
	}
	if err := in.circle(header(relay.HopHeader)); err != nil {
		return nil, err
	}
	now := in.now()
	if err := in.limits.enter(from, now); err != nil {
		return nil, err
	}
	held := &ticket{l: in.limits, id: from.ID, now: now}
	defer held.close()
	// How long the body is nobody says before it is there: until then it counts as a
	// quarter of the most, so that not all who may come at once are in memory at once.
	if err := held.grow(in.config.MaxBody / 4); err != nil {
		return nil, err
	}
	var body rawMessage
	if err := decode(&body); err != nil {
		return nil, fault.New(fault.KindInvalid, "intake.unreadable", "the message could not be read").WithCause(err)
	}
	defer body.free()
	need := max(2*int64(body.size()), 64<<10)
	held.trim(need)
	if err := held.grow(need); err != nil {
		return nil, err
	}
	work := in.worker()
	defer in.keep(work)
	work.n.held = held
	a, err := in.accept(ctx, work, sig, false, body.bytes(), from)
	if err != nil {
		return nil, err
	}
	return &rawMessage{plain: a.proto()}, nil
}

// grpcError turns a fault into a status with advice when to come again.
func grpcError(err error) error {
	f := fault.From(err)
	code := codes.Code(f.Kind.GRPCCode())
	if f.Code == "intake.too_large" || f.Code == "intake.too_many" {
		code = codes.ResourceExhausted
	}
	message := f.Code + ": " + f.Message
	if f.Hint != "" {
		message += " (" + f.Hint + ")"
	}
	st := status.New(code, message)
	// What is too large stays too large: without advice it is not sent again.
	if f.Kind == fault.KindExhausted || code == codes.Unavailable {
		if with, err := st.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(retryAfter(err))}); err == nil {
			st = with
		}
	}
	return st.Err()
}

// rawMessage is a body that protobuf-go does not take apart.
type rawMessage struct {
	buffer mem.Buffer
	plain  []byte
}

func (m *rawMessage) bytes() []byte {
	if m.buffer != nil {
		return m.buffer.ReadOnlyData()
	}
	return m.plain
}

func (m *rawMessage) size() int { return len(m.bytes()) }

func (m *rawMessage) free() {
	if m.buffer != nil {
		m.buffer.Free()
		m.buffer = nil
	}
}

// rawCodec hands bodies through. It goes by the name of the codec it stands in
// for, since senders ask for "proto".
type rawCodec struct{}

func (rawCodec) Name() string { return "proto" }

func (rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	m, ok := v.(*rawMessage)
	if !ok {
		return nil, fmt.Errorf("intake: cannot send a %T", v)
	}
	return mem.BufferSlice{mem.SliceBuffer(m.bytes())}, nil
}

func (rawCodec) Unmarshal(data mem.BufferSlice, v any) error {
	m, ok := v.(*rawMessage)
	if !ok {
		return fmt.Errorf("intake: cannot receive a %T", v)
	}
	m.buffer = data.MaterializeToBuffer(mem.DefaultBufferPool())
	return nil
}

// registerCompressors makes gzip and zstd known to gRPC, which keeps them in a
// table of the process and offers no other way.
var registerCompressors = sync.OnceFunc(func() {
	_ = gzip.Name // its import registers gzip
	encoding.RegisterCompressor(&zstdCompressor{})
})

// zstdCompressor is zstd for gRPC; what comes out is bounded by MaxRecvMsgSize.
type zstdCompressor struct{}

func (*zstdCompressor) Name() string { return "zstd" }

func (*zstdCompressor) Compress(w io.Writer) (io.WriteCloser, error) {
	return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
}

func (*zstdCompressor) Decompress(r io.Reader) (io.Reader, error) {
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(8<<20))
	if err != nil {
		return nil, err
	}
	return &closingReader{z}, nil
}

// closingReader gives the decoder back at the end: gRPC knows no Close.
type closingReader struct{ z *zstd.Decoder }

func (c *closingReader) Read(p []byte) (int, error) {
	n, err := c.z.Read(p)
	if err != nil {
		c.z.Close()
	}
	return n, err
}
