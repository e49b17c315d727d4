// Seals or opens a payload with Tink for Go: tink_go seal|open KEY-HEX CONTEXT-HEX < IN > OUT
package main

import (
	"encoding/hex"
	"fmt"
	"io"
	"os"

	"github.com/tink-crypto/tink-go/v2/streamingaead/subtle"
)

const (
	segmentBytes = 1 << 20
	headerOffset = 0
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(words []string) error {
	if len(words) != 3 {
		return fmt.Errorf("usage: tink_go seal|open KEY-HEX CONTEXT-HEX")
	}
	key, err := hex.DecodeString(words[1])
	if err != nil {
		return err
	}
	context, err := hex.DecodeString(words[2])
	if err != nil {
		return err
	}
	cipher, err := subtle.NewAESGCMHKDF(key, "SHA256", len(key), segmentBytes, headerOffset)
	if err != nil {
		return err
	}
	if words[0] == "open" {
		plain, err := cipher.NewDecryptingReader(os.Stdin, context)
		if err != nil {
			return err
		}
		_, err = io.Copy(os.Stdout, plain)
		return err
	}
	sealed, err := cipher.NewEncryptingWriter(os.Stdout, context)
	if err != nil {
		return err
	}
	if _, err := io.Copy(sealed, os.Stdin); err != nil {
		return err
	}
	return sealed.Close()
}
