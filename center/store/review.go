package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/axlegate/axlegate/center"
	"github.com/axlegate/axlegate/wim"
)

const receivedColumns = `SELECT r.intake, c.site, c.chain, r.seq, r.digest, r.raw FROM record r JOIN chain c ON c.id = r.chain`

func scanReceived(scan func(...any) error) (r center.Received, err error) {
	err = scan(&r.Intake, &r.Ref.Site, chainID{&r.Ref.Chain}, &r.Ref.Seq, digest{&r.Ref.Digest}, &r.Raw)
	return r, err
}

// Unreviewed gives up to limit records to review: first supplements whose passage has come at last, then
// what follows the review's cursor, in order of intake.
func (s *Store) Unreviewed(ctx context.Context, limit int) (out []center.Received, err error) {
	err = s.look(ctx, "read what is to be reviewed", func(t *tx) error {
		add := func(scan func(...any) error) error {
			r, err := scanReceived(scan)
			if err != nil {
				return err
			}
			out = append(out, r)
			return nil
		}
		if err := t.each(ctx, receivedColumns+` JOIN waiting w ON w.intake = r.intake WHERE w.ready = 1 ORDER BY r.intake LIMIT ?`, add, limit); err != nil {
			return err
		}
		return t.each(ctx, receivedColumns+` WHERE r.intake > (SELECT value FROM counter WHERE name = 'review') ORDER BY r.intake LIMIT ?`, add, limit-len(out))
	})
	return out, err
}

// Unjudged gives up to limit records after an intake number that were reviewed but could not be judged again
// yet, of those judgings that known says can be repeated now.
func (s *Store) Unjudged(ctx context.Context, known func(center.Judging) bool, after int64, limit int) (out []center.Received, err error) {
	err = s.look(ctx, "read what is to be judged", func(t *tx) error {
		var now []center.Judging
		err := t.each(ctx, `SELECT DISTINCT rules, judge FROM account WHERE rejudged = 'pending'`, func(scan func(...any) error) error {
			var j center.Judging
			if err := scan(digest{&j.Rules}, &j.Judge); err != nil {
				return err
			}
			if known(j) {
				now = append(now, j)
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, j := range now {
			if len(out) == limit {
				break
			}
			err := t.each(ctx, receivedColumns+` JOIN account a ON a.intake = r.intake WHERE a.rejudged = 'pending' AND a.rules = ? AND a.judge = ? AND a.intake > ? ORDER BY a.intake LIMIT ?`,
				func(scan func(...any) error) error {
					r, err := scanReceived(scan)
					if err != nil {
						return err
					}
					out = append(out, r)
					return nil
				}, j.Rules[:], j.Judge, after, limit-len(out))
			if err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// Waiting counts supplements whose passage is not here yet, and what the review has before it.
func (s *Store) Waiting(ctx context.Context) (waiting, unreviewed int64, err error) {
	err = s.look(ctx, "count what is to be reviewed", func(t *tx) error {
		var taken, reviewed int64
		if err := t.row(ctx, `SELECT (SELECT count(*) FROM waiting), (SELECT value FROM counter WHERE name = 'intake'),
			(SELECT value FROM counter WHERE name = 'review')`).Scan(&waiting, &taken, &reviewed); err != nil {
			return err
		}
		if inMonth(taken) == inMonth(reviewed) {
			unreviewed = taken - reviewed
			return nil
		}
		// Numbers jump where a month begins: what the review has left of the months before is counted.
		first := firstOf(inMonth(taken))
		err := t.row(ctx, `SELECT count(*) FROM record WHERE intake > ? AND intake <= ?`, reviewed, first).Scan(&unreviewed)
		unreviewed += taken - first
		return err
	})
	return waiting, unreviewed, err
}

// Review takes note of records in order of intake, as Unreviewed or Unjudged gave them, and writes what they
// call for (center.Decide) together with the cursor, in one transaction. Reviewing a record again changes
// nothing, except that a verdict that was pending is settled.
func (s *Store) Review(ctx context.Context, batch []center.Reviewed) (center.Effect, error) {
	var e effect
	err := s.transact(ctx, "review", func(t *tx) error {
		e = effect{}
		rv := &reviewing{effect: &e}
		// Of several centres one reviews at a time; the others find its records reviewed.
		if err := t.row(ctx, holdReview).Scan(&rv.cursor); err != nil {
			return err
		}
		from := rv.cursor
		known, err := s.readReviewed(ctx, t, batch)
		if err != nil {
			return err
		}
		for i := range batch {
			if err := s.review(ctx, t, &batch[i], known[batch[i].Intake], rv); err != nil {
				return fmt.Errorf("record %d of %s: %w", batch[i].Ref.Seq, batch[i].Ref.Site, err)
			}
		}
		if err := s.addPassages(ctx, t, rv); err != nil || rv.cursor == from {
			return err
		}
		return t.run(ctx, moveReview, rv.cursor)
	})
	if err != nil {
		return center.Effect{}, err
	}
	if e.events > 0 {
		s.gaveEvents()
	}
	return e.Effect, nil
}

type effect struct {
	center.Effect
	events int
	held   bool // the turn to change matters
}

// reviewing is a review under way. Passages' accounts are written together, before anything that reads them.
type reviewing struct {
	*effect
	cursor   int64
	passages []passageRow
}

type passageRow struct {
	r *center.Reviewed
	a center.Account
}

// reviewState is what is known of a record when its review begins.
type reviewState struct{ reviewed, waiting, opaque bool }

// readReviewed tells of a batch's records which were reviewed already.
func (s *Store) readReviewed(ctx context.Context, t *tx, batch []center.Reviewed) (map[int64]*reviewState, error) {
	known := make(map[int64]*reviewState, len(batch))
	if s.dialect == sqliteDialect {
		for i := range batch {
			x := &reviewState{}
			if err := t.row(ctx, isReviewed, batch[i].Intake, batch[i].Intake, batch[i].Intake).Scan(&x.reviewed, &x.waiting, &x.opaque); err != nil {
				return nil, err
			}
			known[batch[i].Intake] = x
		}
		return known, nil
	}
	ids := make([]int64, len(batch))
	for i := range batch {
		ids[i] = batch[i].Intake
	}
	err := t.each(ctx, areReviewed, func(scan func(...any) error) error {
		var intake int64
		x := &reviewState{}
		if err := scan(&intake, &x.reviewed, &x.waiting, &x.opaque); err != nil {
			return err
		}
		known[intake] = x
		return nil
	}, ids)
	return known, err
}

func (s *Store) review(ctx context.Context, t *tx, r *center.Reviewed, known *reviewState, rv *reviewing) error {
	waiting := known.waiting
	switch {
	case known.reviewed:
		return s.settle(ctx, t, r, rv.effect)
	case r.Intake <= rv.cursor && !waiting && !known.opaque:
		return nil // no verdict in it, and taken note of already
	case r.Intake > rv.cursor:
		if err := follows(ctx, t, rv.cursor, r.Intake); err != nil {
			return err
		}
		rv.cursor = r.Intake
		rv.Reviewed++
	}
	if r.Opaque {
		return t.run(ctx, `INSERT INTO opaque (intake, site, kind, format) VALUES (?, ?, ?, ?) ON CONFLICT (intake) DO NOTHING`,
			r.Intake, string(r.Ref.Site), clean(string(r.Record.Kind)), r.Record.Format)
	}
	if known.opaque {
		if err := t.run(ctx, `DELETE FROM opaque WHERE intake = ?`, r.Intake); err != nil {
			return err
		}
		known.opaque = false
	}
	if r.Record.Kind == wim.KindTombstone {
		if err := t.run(ctx, wakeWaiting, string(r.Ref.Site), r.Ref.Chain[:], int64(r.Ref.Seq)); err != nil {
			return err
		}
		return s.raiseAlarm(ctx, t, center.Alarm{Kind: center.AlarmMissing, Site: r.Ref.Site, Subject: subject(r.Ref), Detail: clip(clean(r.Detail), 400)})
	}
	if r.Detail != "" && r.Rejudged == "" {
		return s.raiseAlarm(ctx, t, center.Alarm{Kind: center.AlarmUnreadable, Site: r.Ref.Site, Subject: subject(r.Ref), Detail: r.Detail})
	}
	if r.Record.Configuration != nil {
		return s.configure(ctx, t, r)
	}
	if r.Record.Transaction != nil {
		if err := s.addPassages(ctx, t, rv); err != nil {
			return err
		}
		return s.reviewTransaction(ctx, t, r, waiting, rv.effect)
	}
	a, ok := center.AccountOf(r.Ref, r.Record)
	if !ok {
		return nil
	}
	// The same record again in this batch finds what it would have found in the next.
	known.reviewed = r.Record.Passage != nil
	if r.Record.Passage != nil {
		return s.reviewPassage(ctx, t, r, &a, rv)
	}
	if err := s.addPassages(ctx, t, rv); err != nil {
		return err
	}
	return s.reviewSupplement(ctx, t, r, &a, waiting, rv.effect)
}

// follows checks that no record lies between the cursor and the next. Numbers jump where a month begins.
func follows(ctx context.Context, t *tx, cursor, next int64) error {
	if next == cursor+1 {
		return nil
	}
	var first int64
	if err := t.row(ctx, `SELECT coalesce(min(intake), 0) FROM record WHERE intake > ?`, cursor).Scan(&first); err != nil {
		return err
	}
	if first != next {
		return fmt.Errorf("%w: intake %d reviewed before %d", ErrRefused, next, first)
	}
	return nil
}

func subject(ref wim.RecordRef) string { return fmt.Sprintf("chain %s, record %d", ref.Chain, ref.Seq) }

func (s *Store) reviewPassage(ctx context.Context, t *tx, r *center.Reviewed, a *center.Account, rv *reviewing) error {
	rv.passages = append(rv.passages, passageRow{r, *a})
	if err := s.alarmVerdict(ctx, t, r); err != nil || !a.Verdict.Alerts() {
		return err
	}
	if err := s.addPassages(ctx, t, rv); err != nil {
		return err
	}
	return s.apply(ctx, t, r.Intake, center.Decide(&center.Journey{Passage: *a}, s.now()), rv.effect)
}

// addPassages writes the accounts of the passages so far and wakes the supplements that waited for them.
func (s *Store) addPassages(ctx context.Context, t *tx, rv *reviewing) error {
	rows := rv.passages
	rv.passages = nil
	if len(rows) == 0 {
		return nil
	}
	if s.dialect == postgresDialect {
		return s.addPassagesTogether(ctx, t, rows)
	}
	for _, x := range rows {
		if err := s.addAccount(ctx, t, x.r, &x.a, x.r.Intake); err != nil {
			return err
		}
		if err := t.run(ctx, wakeWaiting, string(x.r.Ref.Site), x.r.Ref.Chain[:], int64(x.r.Ref.Seq)); err != nil {
			return err
		}
	}
	return nil
}

// passageOf finds the passage that a record adds to. Where it is not there yet the record waits; where it can never be there is an alarm.
func (s *Store) passageOf(ctx context.Context, t *tx, r *center.Reviewed, of wim.RecordRef, waiting bool, e *effect) (passage int64, found bool, err error) {
	if of.Site != r.Ref.Site {
		return 0, false, s.raiseAlarm(ctx, t, center.Alarm{
			Kind: center.AlarmSupplement, Site: r.Ref.Site, Subject: subject(r.Ref),
			Detail: fmt.Sprintf("it adds to record %d of another site, %s", of.Seq, of.Site),
		})
	}
	var held wim.Digest
	err = t.row(ctx, `SELECT p.intake, p.digest FROM record p JOIN chain c ON c.id = p.chain JOIN account a ON a.intake = p.intake
		WHERE c.site = ? AND c.chain = ? AND p.seq = ? AND a.supplement = 0`, string(of.Site), of.Chain[:], int64(of.Seq)).Scan(&passage, digest{&held})
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, false, err
	}
	gone, perr := isPruned(ctx, t, of)
	if perr != nil {
		return 0, false, perr
	}
	lost := false
	if err != nil && !gone {
		if lost, perr = isLost(ctx, t, of); perr != nil {
			return 0, false, perr
		}
		if !lost {
			return 0, false, s.wait(ctx, t, r, of, e)
		}
	}
	if waiting {
		if err := t.run(ctx, `DELETE FROM waiting WHERE intake = ?`, r.Intake); err != nil {
			return 0, false, err
		}
	}
	if gone {
		return 0, false, s.raiseAlarm(ctx, t, center.Alarm{
			Kind: center.AlarmSupplement, Site: r.Ref.Site, Subject: subject(r.Ref),
			Detail: fmt.Sprintf("it adds to record %d of %s, which retention has removed", of.Seq, of.Site),
		})
	}
	if lost {
		return 0, false, s.raiseAlarm(ctx, t, center.Alarm{
			Kind: center.AlarmSupplement, Site: r.Ref.Site, Subject: subject(r.Ref),
			Detail: fmt.Sprintf("it adds to record %d of %s, which the site could not send; what it says is in this record alone", of.Seq, of.Site),
		})
	}
	if held != of.Digest {
		return 0, false, s.raiseAlarm(ctx, t, center.Alarm{
			Kind: center.AlarmSupplement, Site: r.Ref.Site, Subject: subject(r.Ref),
			Detail: fmt.Sprintf("it adds to record %d of %s with digest %s; held is %s", of.Seq, of.Site, of.Digest.Short(), held.Short()),
		})
	}
	return passage, true, nil
}

func (s *Store) reviewSupplement(ctx context.Context, t *tx, r *center.Reviewed, a *center.Account, waiting bool, e *effect) error {
	passage, found, err := s.passageOf(ctx, t, r, r.Record.Supplement.Of, waiting, e)
	if err != nil || !found {
		return err
	}
	if err := s.addAccount(ctx, t, r, a, passage); err != nil {
		return err
	}
	if err := s.alarmVerdict(ctx, t, r); err != nil {
		return err
	}
	if err := e.hold(ctx, t); err != nil {
		return err
	}
	j, k, err := readJourney(ctx, t, passage)
	if err != nil || k.pruned { // of an ended matter, without a part of what would have to be decided on
		return err
	}
	return s.apply(ctx, t, passage, center.Decide(j, s.now()), e)
}

// isPruned tells that a record was held and that retention has removed it, or its bytes.
func isPruned(ctx context.Context, t *tx, of wim.RecordRef) (gone bool, err error) {
	err = t.row(ctx, `SELECT EXISTS (SELECT 1 FROM ledger l JOIN chain c ON c.id = l.chain WHERE c.site = ? AND c.chain = ? AND l.seq = ?
		AND NOT EXISTS (SELECT 1 FROM record r WHERE r.chain = l.chain AND r.seq = l.seq AND length(r.raw) > 0))`,
		string(of.Site), of.Chain[:], int64(of.Seq)).Scan(&gone)
	return gone, err
}

// isLost tells that a tombstone stands in a record's place.
func isLost(ctx context.Context, t *tx, of wim.RecordRef) (lost bool, err error) {
	err = t.row(ctx, `SELECT EXISTS (SELECT 1 FROM record r JOIN chain c ON c.id = r.chain WHERE c.site = ? AND c.chain = ? AND r.seq = ? AND r.kind = 'tombstone')`,
		string(of.Site), of.Chain[:], int64(of.Seq)).Scan(&lost)
	return lost, err
}

// wait puts a supplement aside until the passage it names has been reviewed.
func (s *Store) wait(ctx context.Context, t *tx, r *center.Reviewed, of wim.RecordRef, e *effect) error {
	e.Waiting++
	return t.run(ctx, `INSERT INTO waiting (intake, site, chain, seq, ready) VALUES (?, ?, ?, ?, 0) ON CONFLICT (intake) DO UPDATE SET ready = 0`,
		r.Intake, string(of.Site), of.Chain[:], int64(of.Seq))
}

func (s *Store) addAccount(ctx context.Context, t *tx, r *center.Reviewed, a *center.Account, passage int64) error {
	return t.run(ctx, addAccount, accountRow(r, a, passage)...)
}

// accountRow has the order of accountColumns.
func accountRow(r *center.Reviewed, a *center.Account, passage int64) []any {
	return []any{r.Intake, passage, passage != r.Intake, int64(a.Facts.Time), center.Void(a.Verdict), string(r.Rejudged), a.Verdict.Rules[:], clean(a.Verdict.Judge), int64(a.Facts.Vehicle.Lane)}
}

func (s *Store) alarmVerdict(ctx context.Context, t *tx, r *center.Reviewed) error {
	if r.Rejudged != center.RejudgedDiffers {
		return nil
	}
	return s.raiseAlarm(ctx, t, center.Alarm{Kind: center.AlarmVerdict, Site: r.Ref.Site, Subject: subject(r.Ref), Detail: r.Detail})
}

// settle writes what came of judging a record again that was pending.
func (s *Store) settle(ctx context.Context, t *tx, r *center.Reviewed, e *effect) error {
	if r.Rejudged == center.RejudgedPending || r.Rejudged == "" {
		return nil
	}
	var passage int64
	err := t.row(ctx, `UPDATE account SET rejudged = ? WHERE intake = ? AND rejudged = 'pending' RETURNING passage`, string(r.Rejudged), r.Intake).Scan(&passage)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	e.Settled++
	if err := s.alarmVerdict(ctx, t, r); err != nil {
		return err
	}
	m, alerts, err := readMatter(ctx, t, passage)
	if err != nil || m == nil {
		return err
	}
	for _, a := range alerts {
		if err := s.addEvent(ctx, t, center.MatterExtended, a, m.Region, e); err != nil {
			return err
		}
	}
	return nil
}
