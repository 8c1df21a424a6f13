// Command zlint runs zlint's checks of RFC 5280 and its companions over
// certificates and revocation lists, and fails when one of them has something to
// say. It is a module of its own: zlint's tree is no part of Reeve.
//
//	zlint [-connect HOST:PORT] FILE.pem|FILE.crl...
package main

import (
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"flag"
	"fmt"
	"os"

	"github.com/zmap/zcrypto/x509"
	"github.com/zmap/zlint/v3"
	"github.com/zmap/zlint/v3/lint"
)

func main() {
	connect := flag.String("connect", "", "also check the chain that a TLS server shows")
	flag.Parse()
	bad, checked, err := run(*connect, flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "zlint:", err)
		os.Exit(1)
	}
	fmt.Printf("%d documents checked, %d remarks\n", checked, bad)
	if bad > 0 || checked == 0 {
		os.Exit(1)
	}
}

func run(connect string, files []string) (bad, checked int, err error) {
	// What these documents say holds for every certificate; what browsers ask of
	// public authorities does not hold for a private one.
	registry, err := lint.GlobalRegistry().Filter(lint.FilterOptions{
		IncludeSources: lint.SourceList{lint.RFC3279, lint.RFC5280, lint.RFC5480, lint.RFC5891, lint.RFC6962, lint.RFC8813, lint.Community},
		// Asks whether a name belongs to a public registry: localhost does not.
		ExcludeNames: []string{"n_san_iana_pub_suffix_empty"},
	})
	if err != nil {
		return 0, 0, err
	}
	say := func(name string, r *zlint.ResultSet) {
		checked++
		ran := 0
		for id, one := range r.Results {
			if one.Status >= lint.Pass {
				ran++
			}
			if one.Status >= lint.Notice {
				bad++
				fmt.Printf("%s: %s: %s %s\n", name, one.Status, id, one.Details)
			}
		}
		fmt.Printf("%s: %d checks\n", name, ran)
	}
	certificate := func(name string, der []byte) error {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		say(fmt.Sprintf("%s (%s)", name, c.Subject.CommonName), zlint.LintCertificateEx(c, registry))
		return nil
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			return bad, checked, err
		}
		if !bytes.HasPrefix(raw, []byte("-----")) {
			list, err := x509.ParseRevocationList(raw)
			if err != nil {
				return bad, checked, fmt.Errorf("%s: %w", file, err)
			}
			say(file, zlint.LintRevocationListEx(list, registry))
			continue
		}
		for {
			var b *pem.Block
			if b, raw = pem.Decode(raw); b == nil {
				break
			}
			if err := certificate(file, b.Bytes); err != nil {
				return bad, checked, err
			}
		}
	}
	if connect == "" {
		return bad, checked, nil
	}
	// Only to see the chain: who it is does not matter here.
	conn, err := tls.Dial("tcp", connect, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		return bad, checked, err
	}
	defer conn.Close()
	for _, c := range conn.ConnectionState().PeerCertificates {
		if err := certificate(connect, c.Raw); err != nil {
			return bad, checked, err
		}
	}
	return bad, checked, nil
}
