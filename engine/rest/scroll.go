// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/engine/shard"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// scrolls are the searches that clients read page by page.
type scrolls struct {
	mu   sync.Mutex
	last int64
	open map[string]*scroll // by id
}

// scroll is one of them. It is forgotten when nobody has asked for a page in time.
type scroll struct {
	*query.Scroll
	page  sync.Mutex // held while a page is read
	uuids []string   // of its indices
	keep  time.Duration
	timer *time.Timer
}

func (s *Server) scrollRoutes(rt *rest.Router) {
	for _, path := range []string{"/_search/scroll", "/_search/scroll/{scroll_id}"} {
		rt.Handle("GET", path, s.nextPage)
		rt.Handle("POST", path, s.nextPage)
		rt.Handle("DELETE", path, s.clearScroll)
	}
}

// readKeep reads the scroll parameter: how long a search is kept; nil without it.
func readKeep(text string) (*time.Duration, error) {
	if text == "" {
		return nil, nil
	}
	d, err := wire.ParseDuration(text, "scroll")
	if err != nil {
		return nil, fault.Illegal("%s", fault.Of(err).Reason)
	}
	keep := d.Value()
	return &keep, nil
}

// beginScroll is a finder of first pages: it keeps the search and sets its id.
func (s *Server) beginScroll(keep time.Duration, id *string) finder {
	return func(ctx context.Context, targets []query.Target, req *query.Request, now time.Time) (*query.Response, error) {
		if len(targets) == 0 {
			return query.Execute(ctx, targets, req, now)
		}
		if err := s.mayKeep(keep); err != nil {
			return nil, err
		}
		one := &scroll{keep: keep}
		numbers := make([][]int, len(targets))
		for i, t := range targets {
			one.uuids = append(one.uuids, t.UUID)
			numbers[i] = slices.Clone(t.Numbers)
		}
		fetch := func(target, place int, ids []string) ([]shard.Document, error) {
			index := s.Catalog.State().IndexByUUID(one.uuids[target])
			if index == nil || index.Closed {
				return make([]shard.Document, len(ids)), nil
			}
			return s.Docs.Fetch(index, numbers[target][place], ids)
		}
		var err error
		if one.Scroll, err = query.Begin(ctx, targets, req, fetch, now); err != nil {
			return nil, err
		}
		res, err := one.Next()
		if err != nil {
			return nil, err
		}
		limit, err := strconv.Atoi(s.Catalog.State().ClusterSetting("search.max_open_scroll_context"))
		if err != nil {
			return nil, err
		}
		*id, err = s.scrolls.add(one, limit)
		return res, err
	}
}

// mayKeep refuses to keep a search for longer than the cluster's setting.
func (s *Server) mayKeep(keep time.Duration) error {
	most, err := wire.ParseDuration(s.Catalog.State().ClusterSetting("search.max_keep_alive"), "search.max_keep_alive")
	if err != nil {
		return err
	}
	if keep > most.Value() {
		return fault.Illegal("Keep alive for request (%s) is too large. It must be less than (%s). This limit can be set by changing the [search.max_keep_alive] cluster level setting.",
			wire.Milliseconds(keep.Milliseconds()), wire.Milliseconds(most.Value().Milliseconds()))
	}
	return nil
}

// add keeps a search, unless there are limit contexts already (one for each shard).
func (c *scrolls) add(one *scroll, limit int) (id string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	contexts := 0
	for _, other := range c.open {
		contexts += other.Shards()
	}
	if contexts >= limit {
		return "", fault.New(http.StatusTooManyRequests, "rejected_execution_exception",
			"Trying to create too many scroll contexts. Must be less than or equal to: [%d]. This limit can be set by changing the [search.max_open_scroll_context] setting.", limit)
	}
	if c.open == nil {
		c.open = map[string]*scroll{}
	}
	c.last++
	id = scrollID(c.last)
	c.open[id] = one
	one.timer = time.AfterFunc(one.keep, func() { c.drop(id) })
	return id, nil
}

// scrollID is an id that nobody can guess, with the number of the search in it.
func scrollID(n int64) string {
	return base64.URLEncoding.EncodeToString([]byte(scrollMark + strconv.FormatInt(n, 10) + ":" + rand.Text()))
}

const scrollMark = "scroll:"

// scrollNumber is the number in an id; ok is false for a text that is no id.
func scrollNumber(id string) (n string, ok bool) {
	raw, err := base64.URLEncoding.DecodeString(id)
	if err != nil {
		return "", false
	}
	text, ok := strings.CutPrefix(string(raw), scrollMark)
	n, _, more := strings.Cut(text, ":")
	return n, ok && more
}

// find is the search of an id, kept for some time more; nil if there is none. Without a time it is the one last given.
func (c *scrolls) find(id string, keep *time.Duration) *scroll {
	c.mu.Lock()
	defer c.mu.Unlock()
	one := c.open[id]
	if one == nil {
		return nil
	}
	if keep != nil {
		one.keep = *keep
	}
	one.timer.Reset(one.keep)
	return one
}

// drop forgets a search and says how many shards it was kept for; 0 if it is not known.
func (c *scrolls) drop(id string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	one := c.open[id]
	if one == nil {
		return 0
	}
	one.timer.Stop()
	delete(c.open, id)
	return one.Shards()
}

// dropAll forgets all searches.
func (c *scrolls) dropAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, one := range c.open {
		one.timer.Stop()
	}
	c.open = nil
}

func (s *Server) nextPage(r *rest.Request) (rest.Action, error) {
	ids, scroll, err := readScrollIDs(r)
	if err != nil {
		return nil, err
	}
	keep, err := readKeep(scroll)
	if err != nil {
		return nil, err
	}
	asInt := r.Bool("rest_total_hits_as_int", false)
	r.Ignore("typed_keys")
	if len(ids) == 0 {
		return nil, fault.Validation("scrollId is missing")
	}
	id := ids[len(ids)-1]
	return func(context.Context) (*rest.Response, error) {
		one, err := s.findScroll(id, keep)
		if err != nil {
			return nil, err
		}
		one.page.Lock()
		defer one.page.Unlock()
		res, err := one.Next()
		if err != nil {
			return nil, err
		}
		answer := res.JSON(id)
		if asInt {
			plainTotal(answer, res.Total)
		}
		return rest.OK(answer), nil
	}, nil
}

// findScroll is the search of an id, kept for some time more.
func (s *Server) findScroll(id string, keep *time.Duration) (*scroll, error) {
	number, ok := scrollNumber(id)
	if !ok {
		return nil, notScrollID()
	}
	if keep != nil {
		if err := s.mayKeep(*keep); err != nil {
			return nil, err
		}
	}
	one := s.scrolls.find(id, keep)
	if one == nil || !s.searchable(one) {
		return nil, noScroll(number)
	}
	return one, nil
}

// searchable reports whether one of a search's indices is still there.
func (s *Server) searchable(one *scroll) bool {
	state := s.Catalog.State()
	return len(one.uuids) == 0 || slices.ContainsFunc(one.uuids, func(uuid string) bool {
		index := state.IndexByUUID(uuid)
		return index != nil && !index.Closed
	})
}

// readScrollIDs reads ids, and for how long they are kept, from the path, the query or the body, which counts.
func readScrollIDs(r *rest.Request) (ids []string, scroll string, err error) {
	ids, scroll = r.List("scroll_id"), r.Param("scroll", "")
	body, err := bodyOrSource(r)
	if err != nil || body == nil {
		return ids, scroll, err
	}
	p := wire.NewParser(body)
	if token, err := p.Next(); err != nil || token != wire.StartObject {
		return nil, "", fault.Illegal("Malformed content, must start with an object")
	}
	err = p.Object(func(name string) (err error) {
		switch {
		case name == "scroll_id" && (p.Token() == wire.String || p.Token() == wire.StartArray):
			ids, err = p.TextOrTexts()
		case name == "scroll" && p.Token() == wire.String:
			scroll, err = p.Text()
		default:
			err = fault.Illegal("Unknown parameter [%s] in request body or parameter is of the wrong type[%s] ", name, p.Token())
		}
		return err
	})
	return ids, scroll, err
}

func notScrollID() error { return fault.Illegal("Cannot parse scroll id") }

// noScroll is how OpenSearch words that a search is kept no longer.
func noScroll(number string) error {
	cause := fault.New(http.StatusNotFound, "search_context_missing_exception", "No search context found for id [%s]", number)
	e := fault.New(http.StatusNotFound, "search_phase_execution_exception", "all shards failed").With("phase", "query").With("grouped", true).
		With("failed_shards", []wire.Object{wire.Obj("shard", -1, "index", nil, "reason", cause)})
	e.Roots, e.CausedBy = []*fault.Error{cause}, cause
	return e
}

func (s *Server) clearScroll(r *rest.Request) (rest.Action, error) {
	ids, _, err := readScrollIDs(r)
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		return nil, fault.Validation("no scroll ids specified")
	}
	return func(context.Context) (*rest.Response, error) {
		if slices.Equal(ids, []string{"_all"}) {
			s.scrolls.dropAll()
			return rest.OK(wire.Obj("succeeded", true, "num_freed", 1)), nil // it is the number of nodes
		}
		for _, id := range ids {
			if _, ok := scrollNumber(id); !ok {
				return nil, notScrollID()
			}
		}
		freed := 0
		for _, id := range ids {
			freed += s.scrolls.drop(id)
		}
		res := rest.OK(wire.Obj("succeeded", freed > 0, "num_freed", freed))
		if freed == 0 {
			res.Status = http.StatusNotFound
		}
		return res, nil
	}, nil
}
