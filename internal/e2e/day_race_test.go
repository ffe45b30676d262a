//go:build race

package e2e

import "time"

// day is shorter where the race detector makes every second of it ten times as dear.
const day = 3 * time.Hour
