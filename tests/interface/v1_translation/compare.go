// Holds our translation between Jaeger v1 and OTLP against the one that Jaeger itself uses: reads the
// pairs of pairs.cc from standard input and fails at the first that differs.
package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"reflect"
	"sort"

	"github.com/gogo/protobuf/proto"
	"github.com/jaegertracing/jaeger-idl/model/v1"
	translator "github.com/open-telemetry/opentelemetry-collector-contrib/pkg/translator/jaeger"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

func read() []byte {
	var size uint32
	if err := binary.Read(os.Stdin, binary.LittleEndian, &size); err != nil {
		if err == io.EOF {
			return nil
		}
		panic(err)
	}
	message := make([]byte, size)
	if _, err := io.ReadFull(os.Stdin, message); err != nil {
		panic(err)
	}
	return message
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func tracesOf(message []byte) ptrace.Traces {
	traces, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(message)
	check(err)
	return traces
}

// The order of attributes is of no meaning. The sampled flag is ours alone.
func textOf(traces ptrace.Traces) map[string]any {
	rs := traces.ResourceSpans().At(0)
	ss := rs.ScopeSpans().At(0)
	span := ss.Spans().At(0)
	text := map[string]any{
		"resource": rs.Resource().Attributes().AsRaw(), "scope": ss.Scope().Name() + " " + ss.Scope().Version(),
		"ids":  fmt.Sprint(span.TraceID(), span.SpanID(), span.ParentSpanID()),
		"name": span.Name(), "kind": span.Kind().String(), "state": span.TraceState().AsRaw(),
		"times":  fmt.Sprint(uint64(span.StartTimestamp()), uint64(span.EndTimestamp())),
		"status": span.Status().Code().String() + " " + span.Status().Message(),
		"attributes": span.Attributes().AsRaw(),
	}
	for i := 0; i < span.Events().Len(); i++ {
		event := span.Events().At(i)
		text[fmt.Sprint("event ", i)] = fmt.Sprint(event.Name(), uint64(event.Timestamp()))
		text[fmt.Sprint("event attributes ", i)] = event.Attributes().AsRaw()
	}
	for i := 0; i < span.Links().Len(); i++ {
		link := span.Links().At(i)
		text[fmt.Sprint("link ", i)] = fmt.Sprint(link.TraceID(), link.SpanID(), link.Attributes().AsRaw())
	}
	return text
}

func compareToOtlp(message, ours []byte) {
	var span model.Span
	check(proto.Unmarshal(message, &span))
	before := span.String()
	traces, err := translator.ProtoToTraces([]*model.Batch{{Spans: []*model.Span{&span}, Process: span.Process}})
	check(err)
	wanted, got := textOf(traces), textOf(tracesOf(ours))
	if !reflect.DeepEqual(wanted, got) {
		fmt.Printf("%s\nJaeger's %v\nours     %v\n", before, wanted, got)
		os.Exit(1)
	}
}

func bytesOf(span *model.Span) []byte {
	span.Flags = 0
	sort.SliceStable(span.Tags, func(i, j int) bool { return span.Tags[i].Key < span.Tags[j].Key })
	message, err := proto.Marshal(span)
	check(err)
	return message
}

func compareFromOtlp(message, ours []byte) {
	batch := translator.ProtoFromTraces(tracesOf(message))[0]
	wanted := batch.Spans[0]
	wanted.Process = batch.Process
	var chunk model.Trace // its field 1 is that of a SpansResponseChunk
	check(proto.Unmarshal(ours, &chunk))
	if !bytes.Equal(bytesOf(wanted), bytesOf(chunk.Spans[0])) {
		fmt.Printf("Jaeger's %v\nours     %v\n", wanted, chunk.Spans[0])
		os.Exit(1)
	}
}

func main() {
	pairs := 0
	for {
		message := read()
		if message == nil {
			break
		}
		compareToOtlp(message, read())
		message = read()
		compareFromOtlp(message, read())
		pairs += 2
	}
	fmt.Println(pairs, "pairs agree")
}
