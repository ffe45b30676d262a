package store_test

import (
	"context"
	"testing"

	"github.com/axlegate/axlegate/center/store"
	"github.com/axlegate/axlegate/center/store/storetest"
	"github.com/axlegate/axlegate/internal/testenv"
)

func TestContractOnPostgres(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Open {
		url := testenv.Postgres(t)
		t.Cleanup(func() {
			rep, err := store.Audit(context.WithoutCancel(t.Context()), url, nil)
			if err != nil || len(rep.Problems) > 0 {
				t.Errorf("audit: %v %v", err, rep.Problems)
			}
		})
		return func(cfg store.Config) *store.Store {
			cfg.URL = url
			s, err := store.OpenPostgres(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
			return s
		}
	})
}
