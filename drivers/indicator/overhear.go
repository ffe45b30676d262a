package indicator

import "github.com/axlegate/axlegate/wim"

// Overheard is what registers say by a profile that somebody else read; ok is false where they do not hold all that the profile
// reads. addr is the first register's, as it goes over the wire.
func Overheard(p Profile, function byte, addr uint16, regs []uint16) (in wim.Indication, ok bool, err error) {
	l := newLayout(p)
	if int(function) != p.Function || int(addr) > int(l.first) || int(addr)+len(regs) < int(l.first)+int(l.count) {
		return in, false, nil
	}
	from := int(l.first - addr)
	in, err = l.indication(regs[from : from+int(l.count)])
	return in, true, err
}
