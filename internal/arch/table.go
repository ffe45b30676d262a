package arch

// The third-party modules that stand in the table more than once.
const (
	sqlite = "modernc.org/sqlite"
	jose   = "github.com/go-jose/go-jose/v4"
)

// House is the import table of this module.
func House() Table {
	return Table{
		Rooms:    rooms(),
		Powers:   powers(),
		AnyTest:  []string{"pgregory.net/rapid"},
		Timeless: []string{"wim", "rules"},
	}
}

func rooms() []Room { return nil }

func powers() []Power { return nil }
