// Package encoder turns a short text into a vector whose direction is its
// meaning, without any service: two texts that ask the same thing lie close to
// each other. It is Google's Universal Sentence Encoder Lite (English) as a
// forward pass of our own, its weights in the binary as signed bytes.
//
// What for: prompts are grouped, and one recognised that was asked before, on the
// machine that has them; no text leaves it for that.
//
// Who calls it: topic (what do people ask for, was it asked before?), `reeve bench
// topics`.
//
// Promises: vectors of Size numbers and length one, which are those of the
// JavaScript library for the same text and weights to 1e-5. The weights are
// stored as bytes, which turns a vector by less than two degrees from that of
// the weights as published. The same text gives the same vector on one machine. Nothing is loaded before the
// first text, so that a Reeve that encodes nothing pays nothing; then it is one
// megabyte of heap, and the weights are read where the binary lies. Safe for
// concurrent use: what a call needs beside the weights is taken from a pool.
// Texts are cut at 128 pieces, as the model was trained, and read up to 2,048
// letters, so what a caller passes bounds no time.
//
// How it fails: not at all; any bytes are a text. No text, or none but spaces that the
// model knows no piece of, is the zero vector. Weights that do not read are a
// mistake in the build, and panic.
//
// Start reading at Encode; the steps are in forward.go, what is stored in weights.go.
package encoder

import (
	_ "embed"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Size is how many numbers a vector has.
const Size = 512

const (
	mostPieces = 128
	mostRunes  = 2048 // 128 pieces of 16 letters
)

// Vector is a text's direction. Its length is one, or zero for no text.
type Vector [Size]float32

//go:embed use-lite.bin
var packed string

var shared = sync.OnceValue(func() *model {
	m, err := unpack(packed)
	if err != nil {
		panic("encoder: the embedded weights: " + err.Error())
	}
	return m
})

// Encode returns the direction of a text.
func Encode(text string) Vector {
	if text == "" {
		return Vector{}
	}
	return shared().encode(text)
}

// Cosine is the cosine of the angle between two vectors of length one: one is the
// same direction. The zero vector is like nothing: 0.
func Cosine(a, b *Vector) float32 {
	var s0, s1, s2, s3 float32
	for i := 0; i < Size; i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	return (s0 + s1) + (s2 + s3)
}

// letters is the text as the model reads it: composed, one mark before it and
// one for each space.
func letters(text string) []rune {
	text = strings.ToValidUTF8(head(text, 4*mostRunes), "\uFFFD")
	text = norm.NFKC.String(text)
	if text == "" {
		return nil
	}
	out := make([]rune, 1, len(text)+1)
	out[0] = mark
	for _, r := range text {
		if len(out) == mostRunes {
			break
		}
		if r == ' ' {
			r = mark
		}
		out = append(out, r)
	}
	return out
}

// head is the first n bytes at most, cut between letters.
func head(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
