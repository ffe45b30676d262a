//go:build race

package journal

// raced says that the race detector runs, under which SQLite is ten times slower: what is tried thousands of times is
// then tried in turns, each step or page at least once. AXLEGATE_LONG tries all.
const raced = true
