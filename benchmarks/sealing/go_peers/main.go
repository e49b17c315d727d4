// Seals and opens with Tink for Go or age, for python -m benchmarks.sealing.
//
//	go_peers tink|age seal|open file IN OUT
//	go_peers tink|age seal|open memory IN ROUNDS
//
// With memory, IN is read first, and the seconds of the fastest round are printed. For open, IN is the plaintext too: it
// is sealed in memory before. The keys protect nothing: Tink has one of zeros, and age writes a new one to OUT.key.
package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"filippo.io/age"
	"github.com/tink-crypto/tink-go/v2/streamingaead/subtle"
)

const (
	segmentBytes = 1 << 20
	bufferBytes  = 1 << 20
)

type program struct {
	seal func(io.Writer) (io.WriteCloser, error)
	open func(io.Reader) (io.Reader, error)
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(words []string) error {
	if len(words) != 5 {
		return errors.New("usage: go_peers tink|age seal|open file|memory IN OUT|ROUNDS")
	}
	keyFile := ""
	if words[2] == "file" {
		keyFile = words[4] + ".key"
		if words[1] == "open" {
			keyFile = words[3] + ".key"
		}
	}
	peer, err := find(words[0], keyFile, words[1] == "open")
	if err != nil {
		return err
	}
	work := peer.sealAll
	if words[1] == "open" {
		work = peer.openAll
	}
	if words[2] == "file" {
		return files(work, words[3], words[4])
	}
	rounds, err := strconv.Atoi(words[4])
	if err != nil {
		return err
	}
	given, err := os.ReadFile(words[3])
	if err != nil {
		return err
	}
	if words[1] == "open" {
		var sealed bytes.Buffer
		if err := peer.sealAll(bytes.NewReader(given), &sealed); err != nil {
			return err
		}
		given = sealed.Bytes()
	}
	return memory(work, given, rounds)
}

func find(name, keyFile string, kept bool) (program, error) {
	switch name {
	case "tink":
		aead, err := subtle.NewAESGCMHKDF(make([]byte, 32), "SHA256", 32, segmentBytes, 0)
		if err != nil {
			return program{}, err
		}
		context := []byte("benchmark")
		return program{
			func(to io.Writer) (io.WriteCloser, error) { return aead.NewEncryptingWriter(to, context) },
			func(from io.Reader) (io.Reader, error) { return aead.NewDecryptingReader(from, context) },
		}, nil
	case "age":
		identity, err := ageIdentity(keyFile, kept)
		if err != nil {
			return program{}, err
		}
		return program{
			func(to io.Writer) (io.WriteCloser, error) { return age.Encrypt(to, identity.Recipient()) },
			func(from io.Reader) (io.Reader, error) { return age.Decrypt(from, identity) },
		}, nil
	}
	return program{}, fmt.Errorf("%s is not a peer; allowed: tink, age", name)
}

func ageIdentity(keyFile string, kept bool) (*age.X25519Identity, error) {
	if kept && keyFile != "" {
		text, err := os.ReadFile(keyFile)
		if err != nil {
			return nil, err
		}
		return age.ParseX25519Identity(string(text))
	}
	identity, err := age.GenerateX25519Identity()
	if err == nil && keyFile != "" {
		err = os.WriteFile(keyFile, []byte(identity.String()), 0o600)
	}
	return identity, err
}

func (one program) sealAll(from io.Reader, to io.Writer) error {
	sealing, err := one.seal(to)
	if err != nil {
		return err
	}
	if _, err := io.CopyBuffer(sealing, onlyReader{from}, make([]byte, bufferBytes)); err != nil {
		return err
	}
	return sealing.Close()
}

func (one program) openAll(from io.Reader, to io.Writer) error {
	opening, err := one.open(from)
	if err != nil {
		return err
	}
	_, err = io.CopyBuffer(onlyWriter{to}, opening, make([]byte, bufferBytes))
	return err
}

// onlyReader and onlyWriter keep io.CopyBuffer from choosing another way than the buffer.
type onlyReader struct{ io.Reader }
type onlyWriter struct{ io.Writer }

func files(work func(io.Reader, io.Writer) error, from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(out, bufferBytes)
	if err := work(bufio.NewReaderSize(in, bufferBytes), buffered); err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	return out.Close()
}

func memory(work func(io.Reader, io.Writer) error, given []byte, rounds int) error {
	best := time.Duration(1 << 62)
	var out bytes.Buffer
	out.Grow(len(given) + len(given)/64 + 4096)
	for range rounds {
		out.Reset()
		began := time.Now()
		if err := work(bytes.NewReader(given), &out); err != nil {
			return err
		}
		best = min(best, time.Since(began))
	}
	fmt.Println(best.Seconds())
	return nil
}
