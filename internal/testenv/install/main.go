// Command install installs what the tests need and is missing on this machine, before they run, so that their
// time is their own: PostgreSQL, Mosquitto, promtool and Chromium, from Debian.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/axlegate/axlegate/internal/testenv"
)

func main() {
	if err := testenv.Install(context.Background(), os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "testenv:", err)
		os.Exit(1)
	}
}
