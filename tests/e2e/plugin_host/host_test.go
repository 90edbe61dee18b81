// Package host starts larder as any program does that is built on HashiCorp's go-plugin. What Jaeger
// never asks of a plugin is asked here: mutual TLS, a choice of versions, the broker, standard
// output by gRPC, a socket for a group, an end in order.
//
// LARDER_BIN names the program.
package host

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protowire"
)

const timeout = time.Minute // of each call: the machine may be slow

// connection is what go-plugin gives to the host's end of a plugin.
type connection struct {
	broker *plugin.GRPCBroker
	conn   *grpc.ClientConn
}

type storage struct{ plugin.NetRPCUnsupportedPlugin }

func (storage) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error {
	return errors.New("this is the host")
}

func (storage) GRPCClient(_ context.Context, broker *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return &connection{broker, conn}, nil
}

// raw sends and takes messages as the bytes that they are.
type raw struct{}

func (raw) Marshal(v any) ([]byte, error)      { return v.([]byte), nil }
func (raw) Unmarshal(data []byte, v any) error { *v.(*[]byte) = bytes.Clone(data); return nil }
func (raw) Name() string                       { return "proto" }

func call(t *testing.T, conn *grpc.ClientConn, method string, request []byte) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	var reply []byte
	if err := conn.Invoke(ctx, method, request, &reply, grpc.ForceCodec(raw{})); err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	return reply
}

func field(number protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), value)
}

// write stores one span of a service.
func (c *connection) write(t *testing.T, service string) {
	t.Helper()
	start := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType),
		uint64(time.Now().Unix()))
	span := bytes.Join([][]byte{
		field(1, []byte("0123456789abcdef")), field(2, []byte("01234567")), field(3, []byte("work")),
		field(6, start), field(7, nil), field(10, field(1, []byte(service))),
	}, nil)
	call(t, c.conn, "/jaeger.storage.v1.SpanWriterPlugin/WriteSpan", field(1, span))
}

func (c *connection) hasService(t *testing.T, service string) bool {
	t.Helper()
	reply := call(t, c.conn, "/jaeger.storage.v1.SpanReaderPlugin/GetServices", nil)
	return bytes.Contains(reply, field(1, []byte(service)))
}

// logBuffer may be written while it is read.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// host is one plugin of a test, and what was heard of it.
type host struct {
	*plugin.Client
	log    *logBuffer
	stdout *logBuffer
}

// start runs the plugin on a data directory; change may alter how.
func start(t *testing.T, data string, change func(*plugin.ClientConfig)) *host {
	t.Helper()
	binary := os.Getenv("LARDER_BIN")
	if binary == "" {
		t.Fatal("LARDER_BIN does not name the program")
	}
	command := exec.Command(binary, "--config", "")
	command.Env = append(os.Environ(), "LARDER_DATA_DIR="+data)
	h := &host{log: &logBuffer{}, stdout: &logBuffer{}}
	config := &plugin.ClientConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			ProtocolVersion: 1, MagicCookieKey: "STORAGE_PLUGIN", MagicCookieValue: "jaeger"},
		Plugins:          plugin.PluginSet{"storage_plugin": storage{}},
		Cmd:              command,
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		Logger: hclog.New(&hclog.LoggerOptions{
			Name: "host", Level: hclog.Trace, Output: h.log, JSONFormat: true}),
		SyncStdout: h.stdout,
	}
	if change != nil {
		change(config)
	}
	h.Client = plugin.NewClient(config)
	t.Cleanup(func() {
		h.Kill()
		if t.Failed() {
			t.Log(h.log.String())
		}
	})
	return h
}

func (h *host) connect(t *testing.T) *connection {
	t.Helper()
	client, err := h.Client.Client()
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Ping(); err != nil { // asks health for the service "plugin"
		t.Fatal("ping:", err)
	}
	dispensed, err := client.Dispense("storage_plugin")
	if err != nil {
		t.Fatal(err)
	}
	return dispensed.(*connection)
}

// refused tells whether a stranger who dials the plugin's socket gets no answer.
func refused(t *testing.T, address net.Addr, transport credentials.TransportCredentials) bool {
	t.Helper()
	conn, err := grpc.Dial("passthrough:///localhost",
		grpc.WithTransportCredentials(transport),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, address.Network(), address.String())
		}))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	var reply []byte
	return conn.Invoke(ctx, "/jaeger.storage.v1.SpanReaderPlugin/GetServices", []byte(nil), &reply,
		grpc.ForceCodec(raw{})) != nil
}

func TestSpansComeBackWithoutAndWithMutualTLS(t *testing.T) {
	for _, tlsIsOn := range []bool{false, true} {
		t.Run("AutoMTLS="+strconv.FormatBool(tlsIsOn), func(t *testing.T) {
			h := start(t, t.TempDir(), func(c *plugin.ClientConfig) { c.AutoMTLS = tlsIsOn })
			c := h.connect(t)
			c.write(t, "shop")
			if !c.hasService(t, "shop") {
				t.Error("the span did not come back")
			}
			address := h.ReattachConfig().Addr
			if address.Network() != "unix" {
				t.Errorf("listens on %v, no socket", address)
			}
			if got := refused(t, address, insecure.NewCredentials()); got != tlsIsOn {
				t.Errorf("a stranger in plain text is refused: %v", got)
			}
			if !tlsIsOn {
				return
			}
			anyServer := &tls.Config{InsecureSkipVerify: true} // and no certificate of its own
			if !refused(t, address, credentials.NewTLS(anyServer)) {
				t.Error("a stranger without a certificate was let in")
			}
		})
	}
}

func TestPortInsteadOfSocket(t *testing.T) {
	h := start(t, t.TempDir(), func(c *plugin.ClientConfig) {
		c.AutoMTLS = true
		c.MinPort, c.MaxPort = 20000, 32000
		c.Cmd.Env = append(c.Cmd.Env, "TMPDIR=/nonexistent")
	})
	c := h.connect(t)
	c.write(t, "shop")
	if address := h.ReattachConfig().Addr; address.Network() != "tcp" {
		t.Errorf("listens on %v, no port", address)
	}
}

func TestVersions(t *testing.T) {
	offer := func(versions ...int) func(*plugin.ClientConfig) {
		return func(c *plugin.ClientConfig) {
			c.Plugins = nil
			c.VersionedPlugins = map[int]plugin.PluginSet{}
			for _, version := range versions {
				c.VersionedPlugins[version] = plugin.PluginSet{"storage_plugin": storage{}}
			}
		}
	}
	h := start(t, t.TempDir(), offer(1, 2))
	h.connect(t).write(t, "shop")
	if h.NegotiatedVersion() != 1 {
		t.Errorf("version %d of 1 and 2", h.NegotiatedVersion())
	}
	_, err := start(t, t.TempDir(), offer(2, 3)).Client.Client()
	if err == nil || !strings.Contains(err.Error(), "incompatible API version") {
		t.Errorf("the plugin has neither 2 nor 3: %v", err)
	}
}

func TestBroker(t *testing.T) {
	c := start(t, t.TempDir(), nil).connect(t)
	for range 3 { // announced to the plugin, which has no use for them
		listener, err := c.broker.Accept(c.broker.NextId())
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
	}
	c.write(t, "shop")
	if !c.hasService(t, "shop") {
		t.Error("the span did not come back")
	}
}

func TestMultiplexingIsDeclined(t *testing.T) {
	h := start(t, t.TempDir(), func(c *plugin.ClientConfig) { c.GRPCBrokerMultiplex = true })
	_, err := h.Client.Client()
	if !errors.Is(err, plugin.ErrGRPCBrokerMuxNotSupported) {
		t.Error("no clear error:", err)
	}
}

func TestSocketOfAGroup(t *testing.T) {
	h := start(t, t.TempDir(), func(c *plugin.ClientConfig) {
		c.UnixSocketConfig = &plugin.UnixSocketConfig{Group: strconv.Itoa(os.Getgid())}
	})
	h.connect(t).write(t, "shop")
	facts, err := os.Stat(h.ReattachConfig().Addr.String())
	if err != nil {
		t.Fatal(err)
	}
	if mode := facts.Mode().Perm(); mode != 0o660 {
		t.Errorf("mode %o", mode)
	}
}

// The stream of standard output stays open and empty for the plugin's life.
func TestStandardOutput(t *testing.T) {
	h := start(t, t.TempDir(), nil)
	c := h.connect(t)
	stream, err := c.conn.NewStream(t.Context(), &grpc.StreamDesc{ServerStreams: true},
		"/plugin.GRPCStdio/StreamStdio", grpc.ForceCodec(raw{}))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(stream.SendMsg([]byte(nil)), stream.CloseSend()); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		var message []byte
		ended <- stream.RecvMsg(&message)
	}()
	c.write(t, "shop")
	select {
	case err := <-ended:
		t.Error("the stream ended or brought something:", err)
	default:
	}
	h.Kill()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("the stream brought something")
		}
	case <-time.After(timeout):
		t.Error("the stream outlives the plugin")
	}
	if text := h.stdout.String(); text != "" {
		t.Errorf("standard output: %q", text)
	}
}

// What the plugin logs reaches the host's logger with its level and its fields.
func TestLog(t *testing.T) {
	h := start(t, t.TempDir(), func(c *plugin.ClientConfig) {
		c.Cmd.Env = append(c.Cmd.Env, "LARDER_LOG_LEVEL=info")
	})
	h.connect(t)
	h.Kill()
	for _, line := range strings.Split(h.log.String(), "\n") {
		if strings.Contains(line, `"@message":"ready"`) && strings.Contains(line, `"@level":"info"`) &&
			strings.Contains(line, `"data_dir":`) {
			return
		}
	}
	t.Errorf("no line says ready:\n%s", h.log)
}

func TestKillEndsInOrderAndLosesNothing(t *testing.T) {
	data := t.TempDir()
	h := start(t, data, func(c *plugin.ClientConfig) { c.AutoMTLS = true })
	c := h.connect(t)
	c.write(t, "shop")
	socket := h.ReattachConfig().Addr.String()
	h.Kill()
	if !h.Exited() {
		t.Error("still runs")
	}
	if strings.Contains(h.log.String(), "failed to exit gracefully") {
		t.Error("was killed by a signal, since it did not go by itself")
	}
	if _, err := os.Stat(socket); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", socket, err)
	}
	if !start(t, data, nil).connect(t).hasService(t, "shop") {
		t.Error("the span is gone")
	}
}
