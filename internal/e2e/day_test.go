//go:build !race

package e2e

import "time"

// day is how long the replayed traffic lasts.
const day = 24 * time.Hour
