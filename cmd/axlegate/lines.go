package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// maxFacts bounds one line in bytes; a sealed record has at most half of it.
const maxFacts = 1 << 20

// signature begins a line of an export that signs the records before it ("axlegate export journal.db --key").
const signature = `{"segment":`

// eachLine calls use for every line that is neither blank nor a signature, numbered from 1, without the blanks around
// it; the line is valid until use returns. A line that use refuses, or that is longer than maxFacts bytes, is named by
// its number on complain and counted; the rest goes on. The error is one of reading.
func eachLine(name string, in io.Reader, complain io.Writer, use func(n int, line []byte) error) (bad int, err error) {
	r := bufio.NewReaderSize(in, maxFacts)
	for n := 1; ; n++ {
		line, err := r.ReadSlice('\n')
		var refused error
		if errors.Is(err, bufio.ErrBufferFull) {
			refused = fmt.Errorf("longer than the %d bytes that a line may have", maxFacts)
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = r.ReadSlice('\n')
			}
		} else if line = bytes.TrimSpace(line); len(line) > 0 && !bytes.HasPrefix(line, []byte(signature)) {
			refused = use(n, line)
		}
		if refused != nil {
			bad++
			fmt.Fprintf(complain, "%s:%d: %v\n", name, n, refused) //nolint:errcheck // nobody left to tell
		}
		if errors.Is(err, io.EOF) {
			return bad, nil
		}
		if err != nil {
			return bad, fmt.Errorf("%s:%d: %w", name, n, err)
		}
	}
}
