package testenv

import (
	"os"
	"testing"
)

// Chromium gives the path of a Chromium; run it headless and, as root, with --no-sandbox.
func Chromium(tb testing.TB) string { tb.Helper(); return program(tb, chromiumTool()) }

// Promtool gives the path of Prometheus' promtool.
func Promtool(tb testing.TB) string { tb.Helper(); return program(tb, promtoolTool()) }

// Expert makes sure that what a court's expert works with is there: openssl, jq and unzip.
func Expert(tb testing.TB) {
	tb.Helper()
	for _, t := range []tool{opensslTool(), jqTool(), unzipTool()} {
		program(tb, t)
	}
}

func program(tb testing.TB, t tool) string {
	tb.Helper()
	if err := install(tb.Context(), os.Stderr, t); err != nil {
		tb.Fatalf("testenv: %v", err)
	}
	return t.find()
}
