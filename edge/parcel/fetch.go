package parcel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/axlegate/axlegate/wim"
	"github.com/axlegate/axlegate/wim/seal"
)

// maxParcel bounds a parcel in bytes, whatever a manifest says.
const maxParcel = 32 << 20

// errUseless marks an answer that asking again soon does not change.
var errUseless = errors.New("the centre does not give it")

// fetch gets a parcel's bytes. One that breaks off goes on where it stood: got is what came before.
func (d *Depot) fetch(ctx context.Context, p *seal.Parcel, got []byte) ([]byte, error) {
	grant, err := seal.SignFetch(d.cfg.Signer(), seal.Fetch{Site: d.cfg.Site, Digest: p.Digest, Time: wim.TimeOf(d.cfg.GrantTime())})
	if err != nil {
		return got, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(d.cfg.Base, "/")+"/parcels/"+p.Digest.String(), http.NoBody)
	if err != nil {
		return got, fmt.Errorf("%w: %w", errUseless, err)
	}
	req.Header.Set("Authorization", "Axlegate "+grant)
	if len(got) > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", len(got)))
	}
	resp, err := d.cfg.Client.Do(req)
	if err != nil {
		return got, err
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end or given up
	switch resp.StatusCode {
	case http.StatusOK:
		got = got[:0]
	case http.StatusPartialContent:
	case http.StatusRequestedRangeNotSatisfiable:
		return nil, errors.New("the centre has less of it than came before; it is asked for from the start")
	case http.StatusNotFound, http.StatusBadRequest:
		return nil, fmt.Errorf("%w: %s", errUseless, resp.Status)
	default:
		return got, fmt.Errorf("the centre answered %s", resp.Status)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, p.Size-int64(len(got))+1))
	got = append(got, b...)
	switch {
	case int64(len(got)) > p.Size:
		return nil, fmt.Errorf("%w: it is larger than the %d bytes that the manifest says", errUseless, p.Size)
	case err != nil:
		return got, fmt.Errorf("after %d of %d bytes: %w", len(got), p.Size, err)
	case int64(len(got)) < p.Size:
		return got, fmt.Errorf("only %d of %d bytes came", len(got), p.Size)
	case wim.DigestOf(got) != p.Digest:
		return nil, fmt.Errorf("%w: what came has another digest than the manifest says", errUseless)
	}
	return got, nil
}
