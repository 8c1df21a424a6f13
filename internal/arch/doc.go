// Package arch holds tests that keep the shape of the house true: which way
// imports point, where C code may live, that packages and exported names are
// explained, that tests do not sleep. It has no code of its own.
package arch
