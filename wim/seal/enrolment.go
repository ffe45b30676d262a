package seal

import (
	"fmt"

	"github.com/axlegate/axlegate/wim"
)

const (
	enrolmentType = "axlegate-enrolment"
	enrolledType  = "axlegate-enrolled"
)

// Enrolment is a site's request that its key be believed, with the one-time code that a person read at the centre.
type Enrolment struct {
	Version int        `json:"v"`
	Site    wim.SiteID `json:"site"`
	Code    string     `json:"code"`
	Key     []byte     `json:"key"` // the public key that wants in, PKIX DER, base64 in JSON
	Time    wim.Time   `json:"time"`
}

// SignEnrolment signs a request with the key that wants in: nobody enrols a key that he does not have.
func SignEnrolment(k *Signer, site wim.SiteID, code string, at wim.Time) (string, error) {
	der, err := k.Verifier().MarshalDER()
	if err != nil {
		return "", err
	}
	return sign(k, enrolmentType, Enrolment{Version: 1, Site: site, Code: code, Key: der, Time: at})
}

// VerifyEnrolment checks a request under the key that it carries and returns both. Whether the code holds is for
// the caller to say.
func VerifyEnrolment(jws string) (Enrolment, *Verifier, error) {
	var e Enrolment
	if err := peek(jws, enrolmentType, &e); err != nil {
		return Enrolment{}, nil, err
	}
	v, err := ParseVerifier(e.Key)
	if err != nil {
		return Enrolment{}, nil, fmt.Errorf("%w enrolment: %w", ErrMalformed, err)
	}
	e = Enrolment{}
	if _, err := verify(jws, enrolmentType, &e, []*Verifier{v}); err != nil {
		return Enrolment{}, nil, err
	}
	if e.Version != 1 || e.Site.Valid() != nil || e.Code == "" {
		return Enrolment{}, nil, fmt.Errorf("%w enrolment", ErrMalformed)
	}
	return e, v, nil
}

// Enrolled is the centre's answer: it believes the key, and these are the keys by which it is known.
type Enrolled struct {
	Version    int        `json:"v"`
	Site       wim.SiteID `json:"site"`
	Key        string     `json:"key"`         // id of the site's key
	CenterKeys [][]byte   `json:"center_keys"` // PKIX DER, base64 in JSON
	Time       wim.Time   `json:"time"`
}

// SignEnrolled signs the answer with the centre's key.
func SignEnrolled(k *Signer, e Enrolled) (string, error) {
	e.Version = 1
	return sign(k, enrolledType, e)
}

// VerifyEnrolled checks the answer under one of the keys that it carries and returns them: the site has no other
// yet, so a person compares their ids.
func VerifyEnrolled(jws string) (Enrolled, []*Verifier, error) {
	var e Enrolled
	if err := peek(jws, enrolledType, &e); err != nil {
		return Enrolled{}, nil, err
	}
	keys := make([]*Verifier, 0, len(e.CenterKeys))
	for _, der := range e.CenterKeys {
		v, err := ParseVerifier(der)
		if err != nil {
			return Enrolled{}, nil, fmt.Errorf("%w enrolled: %w", ErrMalformed, err)
		}
		keys = append(keys, v)
	}
	e = Enrolled{}
	if _, err := verify(jws, enrolledType, &e, keys); err != nil {
		return Enrolled{}, nil, err
	}
	if e.Version != 1 || e.Site.Valid() != nil || e.Key == "" {
		return Enrolled{}, nil, fmt.Errorf("%w enrolled", ErrMalformed)
	}
	return e, keys, nil
}
