package center

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/axlegate/axlegate/wim"
)

// KeyHow says how a site's key came to be believed.
type KeyHow string

// The ways of a key.
const (
	KeyConfigured KeyHow = "configured" // named in the centre's configuration
	KeyByCode     KeyHow = "code"       // enrolled with a one-time code
	KeyByRotation KeyHow = "rotation"   // by a record that the key before it signed
)

// SiteKey is a key under which a site's records are, or were, believed.
type SiteKey struct {
	Site wim.SiteID
	ID   string // RFC 7638 thumbprint
	DER  []byte // public key, PKIX DER; empty for one of the configuration
	How  KeyHow
	By   string // the officer who made the code, or the id of the key before
	// Since is when it was enrolled, Chain and Seq the rotation record that brought it.
	Since wim.Time
	Chain wim.ChainID
	Seq   uint64
	// Ended is when it was ended, 0 while it holds. What it signed of EndChain up to EndSeq is believed for
	// ever: a site sends that again to a centre that was restored.
	Ended    wim.Time
	EndChain wim.ChainID
	EndSeq   uint64
}

// Believes tells whether records of a chain up to a sequence are believed under the key.
func (k *SiteKey) Believes(chain wim.ChainID, to uint64) bool {
	return k.Ended == 0 || !k.EndChain.IsZero() && chain == k.EndChain && to <= k.EndSeq
}

// CodeLife is how long an enrolment code is good, CodeTries how often somebody may be wrong about it.
const (
	CodeLife  = 24 * time.Hour
	CodeTries = 10
)

// codeLetters are digits and letters that nobody takes for another when they are read out.
const codeLetters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// NewCode draws an enrolment code of sixty bits, as XXXX-XXXX-XXXX.
func NewCode() string {
	b := make([]byte, 12)
	rand.Read(b) // never fails since Go 1.24
	var s strings.Builder
	for i, x := range b {
		if i > 0 && i%4 == 0 {
			s.WriteByte('-')
		}
		s.WriteByte(codeLetters[x%32])
	}
	return s.String()
}

// ErrCode says that an enrolment code does not hold: wrong, used, too old or tried too often. Which of them is not
// told to who tries.
var ErrCode = errors.New("the enrolment code does not hold")

// CodeDigest is what is kept of a code. However it was typed: small letters, no dashes, O for 0 and I or L for 1.
func CodeDigest(site wim.SiteID, code string) [32]byte {
	text := strings.NewReplacer("-", "", " ", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(code))
	return sha256.Sum256(fmt.Appendf(nil, "axlegate enrolment\x00%s\x00%s", site, text))
}
