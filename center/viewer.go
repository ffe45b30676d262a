package center

import (
	"fmt"

	"github.com/axlegate/axlegate/wim"
)

// Role is what an officer may do at all.
type Role string

// The roles. Which authority an enforcer belongs to is the officer's competence.
const (
	Enforcer      Role = "enforcer"      // of one authority: sees and works on the matters that it was alerted to
	Administrator Role = "administrator" // looks after sites, alarms, officers and tokens; sees no matter and no plate
	Auditor       Role = "auditor"       // sees all matters and the audit trail of a region; changes nothing
)

// Roles lists all roles.
func Roles() []Role { return []Role{Enforcer, Administrator, Auditor} }

// Officer is a person who signs in. Hash is an argon2id hash in PHC form. An enforcer has a competence, others
// have none.
type Officer struct {
	Login      string
	Name       string
	Role       Role
	Competence wim.Competence
	Region     Region // the officer sees what lies in it; empty is everything
	Hash       string
	// Configured says that the officer stands in the centre's configuration: a page cannot change it.
	Configured bool
	// MustChange says that the password was set by somebody else and has to be changed before anything else.
	MustChange bool
	Disabled   bool
}

// Valid tells what is wrong with an officer.
func (o *Officer) Valid() error {
	switch {
	case o.Login == "" || len(o.Login) > 64:
		return fmt.Errorf("officer: login %q must have 1 to 64 bytes", o.Login)
	case o.Role == Enforcer && o.Competence == "":
		return fmt.Errorf("officer %s: an enforcer needs the competence of an authority", o.Login)
	case o.Role != Enforcer && o.Role != Administrator && o.Role != Auditor:
		return fmt.Errorf("officer %s: role %q, want %s, %s or %s", o.Login, o.Role, Enforcer, Administrator, Auditor)
	case o.Role != Enforcer && o.Competence != "":
		return fmt.Errorf("officer %s: an %s belongs to no authority; leave the competence out", o.Login, o.Role)
	}
	if err := o.Region.Valid(); err != nil {
		return fmt.Errorf("officer %s: %w", o.Login, err)
	}
	return nil
}

// Viewer is the officer as what is shown depends on it.
func (o *Officer) Viewer() Viewer {
	return Viewer{Login: o.Login, Role: o.Role, Competence: o.Competence, Region: o.Region}
}

// Viewer is for whom something is read or done. Every read of the store asks it again.
type Viewer struct {
	Login      string
	Role       Role
	Competence wim.Competence
	Region     Region
}

// Matters tells whether the viewer may see matters at all.
func (v Viewer) Matters() bool { return v.Role == Enforcer && v.Competence != "" || v.Role == Auditor }

// Trail tells whether the viewer may read the audit trail.
func (v Viewer) Trail() bool { return v.Role == Auditor }

// Manages tells whether the viewer looks after sites, officers and tokens.
func (v Viewer) Manages() bool { return v.Role == Administrator }

// Sees tells whether the viewer may see a matter of that region to which those alerts belong: an enforcer
// when the own authority was alerted, an auditor always.
func (v Viewer) Sees(r Region, alerts []Alert) bool {
	if !v.Matters() || !v.Region.Holds(r) {
		return false
	}
	return v.Role == Auditor || alerted(alerts, v.Competence)
}
