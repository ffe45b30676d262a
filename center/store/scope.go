package store

import (
	"strings"

	"github.com/axlegate/axlegate/center"
)

// clause is the condition of a statement, with the values of its parameters.
type clause struct {
	conditions []string
	args       []any
}

func (c *clause) and(condition string, args ...any) {
	c.conditions = append(c.conditions, condition)
	c.args = append(c.args, args...)
}

// where is the condition as it stands in a statement.
func (c *clause) where() string {
	if len(c.conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c.conditions, " AND ")
}

// within keeps to a region. Paths compare byte by byte, and "0" follows "/", so that what lies in a region is a
// range of an index.
func (c *clause) within(column string, r center.Region) {
	if r != "" {
		c.and("("+column+" = ? OR "+column+" >= ? AND "+column+" < ?)", string(r), string(r)+"/", string(r)+"0")
	}
}

// alertsFor keeps to the alerts that a viewer may see, of a table with that name.
func (c *clause) alertsFor(table string, v center.Viewer) {
	switch {
	case !v.Matters():
		c.and("1 = 0")
		return
	case v.Role == center.Enforcer:
		c.and(table+".competence = ?", string(v.Competence))
	}
	c.within(table+".region", v.Region)
}
