package store

import (
	"context"
	"strings"

	"github.com/axlegate/axlegate/center"
)

// Queue returns the matters that a viewer may see and a query asks for, newest first. It costs by the lines
// that it returns and by what the filters leave out between them, not by what the store holds.
func (s *Store) Queue(ctx context.Context, v center.Viewer, q center.Query) (p center.Page, err error) {
	if err := q.Validate(); err != nil {
		return center.Page{}, err
	}
	err = s.look(ctx, "read queue", func(t *tx) error {
		p = center.Page{}
		if err := t.row(ctx, `SELECT value FROM counter WHERE name = 'event'`).Scan(&p.Last); err != nil {
			return err
		}
		text, args := queueText(v, &q)
		var ids []any
		at := map[int64]int{}
		err := t.each(ctx, text, func(scan func(...any) error) error {
			if len(p.Lines) == q.Limit {
				p.Next = p.Lines[q.Limit-1].Matter.ID
				return errStop
			}
			var l center.Line
			if err := scanMatter(scan, &l.Matter); err != nil {
				return err
			}
			at[l.Matter.ID] = len(p.Lines)
			ids = append(ids, l.Matter.ID)
			p.Lines = append(p.Lines, l)
			return nil
		}, args...)
		if err != nil || len(ids) == 0 {
			return err
		}
		return fillDockets(ctx, t, ids, func(matter int64) *center.Docket { return &p.Lines[at[matter]].Docket })
	})
	if err != nil {
		return center.Page{}, err
	}
	return p, nil
}

// queueText is the statement of a queue: from the index that leaves the least.
func queueText(v center.Viewer, q *center.Query) (string, []any) {
	var c clause
	from := " FROM matter m"
	id := "m.id"
	switch {
	case !v.Matters():
		c.and("1 = 0")
	case v.Role == center.Enforcer:
		// The own alert of each matter, by matter: one row a line, in order.
		from, id = " FROM alert a JOIN matter m ON m.id = a.matter", "a.matter"
		c.alertsFor("a", v)
		if q.Standing != "" {
			c.and("a.standing = ?", string(q.Standing))
		}
		if q.Owed {
			c.and("a.ended = ''")
		}
	default:
		c.within("m.region", v.Region)
		if q.Standing != "" {
			c.and("EXISTS (SELECT 1 FROM alert x WHERE x.matter = m.id AND x.standing = ?)", string(q.Standing))
		}
		if q.Owed {
			c.and("EXISTS (SELECT 1 FROM alert x WHERE x.matter = m.id AND x.ended = '')")
		}
	}
	if q.Plate != "" {
		c.and("m.id IN (SELECT matter FROM matter_plate WHERE plate >= ? AND plate < ?)", clean(q.Plate), after(clean(q.Plate)))
	}
	if q.Site != "" {
		c.and("m.site = ?", string(q.Site))
	}
	c.within("m.region", q.Region)
	if q.From != 0 {
		c.and("m.passed >= ?", int64(q.From))
	}
	if q.To != 0 {
		c.and("m.passed < ?", int64(q.To))
	}
	if len(q.States) > 0 {
		args := make([]any, len(q.States))
		for i, x := range q.States {
			args[i] = string(x)
		}
		c.and("m.state IN ("+marks(len(args))+")", args...)
	}
	if q.Before != 0 {
		c.and(id+" < ?", q.Before)
	}
	c.args = append(c.args, q.Limit+1)
	return `SELECT ` + matterColumns + from + c.where() + ` ORDER BY ` + id + ` DESC LIMIT ?`, c.args
}

// after is above every text that begins with s, byte by byte: no text of UTF-8 has the byte.
func after(s string) string { return s + "\U0010FFFF" }

// marks is n parameters with commas between.
func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?, ", n), ", ") }

// fillDockets reads alerts and cases of matters.
func fillDockets(ctx context.Context, t *tx, ids []any, docket func(matter int64) *center.Docket) error {
	err := t.each(ctx, `SELECT `+alertColumns+` FROM alert a WHERE a.matter IN (`+marks(len(ids))+`) ORDER BY a.id`, func(scan func(...any) error) error {
		var a center.Alert
		if err := scan(alertInto(&a)...); err != nil {
			return err
		}
		d := docket(a.Matter)
		d.Alerts = append(d.Alerts, a)
		return nil
	}, ids...)
	if err != nil {
		return err
	}
	return t.each(ctx, `SELECT matter, competence, number, opened, login FROM authority_case WHERE matter IN (`+marks(len(ids))+`) ORDER BY matter, opened, competence`, func(scan func(...any) error) error {
		var c center.Case
		if err := scan(&c.Matter, &c.Competence, &c.Number, &c.Opened, &c.Login); err != nil {
			return err
		}
		d := docket(c.Matter)
		d.Cases = append(d.Cases, c)
		return nil
	}, ids...)
}

// readDocket reads a matter with its alerts and cases. The row of the matter is held until the transaction ends.
func readDocket(ctx context.Context, t *tx, matter int64) (center.Docket, error) {
	d, _, err := readDocketBy(ctx, t, `SELECT `+matterColumns+`, m.passage FROM matter m WHERE m.id = ?`+forUpdate, matter)
	return d, err
}

// readDocketNow is readDocket for who only looks on.
func readDocketNow(ctx context.Context, t *tx, matter int64) (d center.Docket, passage int64, err error) {
	return readDocketBy(ctx, t, `SELECT `+matterColumns+`, m.passage FROM matter m WHERE m.id = ?`, matter)
}

func readDocketBy(ctx context.Context, t *tx, q string, matter int64) (d center.Docket, passage int64, err error) {
	if err := scanMatter(t.row(ctx, q, matter).Scan, &d.Matter, &passage); err != nil {
		return d, 0, err
	}
	return d, passage, fillDockets(ctx, t, []any{matter}, func(int64) *center.Docket { return &d })
}
