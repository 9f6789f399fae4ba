// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
)

// defaultItems is how many configurations a list has unless max_items says otherwise: the plugin's own number.
const defaultItems = 1000

// create stores a new channel.
func (a *API) create(r *rest.Request) (rest.Action, error) {
	req, err := readConfig(r)
	if err != nil {
		return nil, err
	}
	id := ""
	if req.id != nil {
		id = *req.id
		if err := checkID(id); err != nil {
			return nil, err
		}
	}
	return func(ctx context.Context) (*rest.Response, error) {
		if err := req.config.check(); err != nil {
			return nil, err
		}
		config, err := wire.Marshal(req.config.json())
		if err != nil {
			return nil, err
		}
		now := a.o.Clock.Now().UnixMilli()
		id, err := a.store.create(ctx, id, channel{created: now, updated: now, config: config})
		return answerID(id), err
	}, nil
}

// update replaces a channel's configuration. Its kind stays.
func (a *API) update(r *rest.Request) (rest.Action, error) {
	id := r.Path("config_id")
	req, err := readConfig(r)
	if err != nil {
		return nil, err
	}
	if req.id != nil {
		id = *req.id // the plugin's own precedence
	}
	if id == "" {
		return nil, fault.Validation("configId is null or empty")
	}
	return func(ctx context.Context) (*rest.Response, error) {
		if err := req.config.check(); err != nil {
			return nil, err
		}
		config, err := wire.Marshal(req.config.json())
		if err != nil {
			return nil, err
		}
		err = a.store.update(ctx, id, func(c *channel) error {
			if c.brief().Kind != string(req.config.kind) {
				return fault.Status(http.StatusConflict, "Config type cannot be changed after creation")
			}
			c.updated, c.config = a.o.Clock.Now().UnixMilli(), config
			return nil
		})
		return answerID(id), err
	}, nil
}

func readConfig(r *rest.Request) (configRequest, error) {
	body, err := r.RequireBody()
	if err != nil {
		return configRequest{}, err
	}
	return parseConfigRequest(body)
}

func answerID(id string) *rest.Response { return rest.OK(wire.Obj("config_id", id)) }

// get answers one configuration, some by their ids, or a page of those that match.
func (a *API) get(r *rest.Request) (rest.Action, error) {
	ids := readIDs(r.List("config_id_list"), r.Path("config_id"))
	q, err := readList(r)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (*rest.Response, error) {
		if len(ids) == 0 {
			return a.list(ctx, q)
		}
		found, err := a.all(ctx, ids)
		if err != nil {
			return nil, err
		}
		return answerList("config_list", 0, int64(len(found)), found, channel.json), nil
	}, nil
}

func (a *API) list(ctx context.Context, q listQuery) (*rest.Response, error) {
	body, err := q.search()
	if err != nil {
		return nil, err
	}
	total, found, err := a.store.search(ctx, body)
	if err != nil {
		return nil, err
	}
	return answerList("config_list", q.from, total, found, channel.json), nil
}

// all reads channels of which none may be missing.
func (a *API) all(ctx context.Context, ids []string) ([]channel, error) {
	found, err := a.store.get(ctx, ids...)
	if err != nil || len(found) == len(ids) {
		return found, err
	}
	if len(ids) == 1 {
		return nil, notFound(ids[0])
	}
	missing := slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		return slices.ContainsFunc(found, func(c channel) bool { return c.id == id })
	})
	return nil, notFound("[" + strings.Join(missing, ", ") + "]")
}

// answerList is a page as the plugin prints it.
func answerList(name string, from int, total int64, found []channel, json func(channel) wire.Object) *rest.Response {
	list := make([]wire.Object, len(found))
	for i, c := range found {
		list[i] = json(c)
	}
	return rest.OK(wire.Obj("start_index", from, "total_hits", total, "total_hit_relation", "eq", name, list))
}

// readIDs are the ids of a request, each once.
func readIDs(list []string, one string) []string {
	var ids []string
	for _, id := range append(list, one) {
		if strings.TrimSpace(id) != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// readList reads the parameters of a list. Numbers that do not parse count as absent, as in the plugin.
func readList(r *rest.Request) (listQuery, error) {
	q := listQuery{from: 0, size: defaultItems, sort: r.Param("sort_field", ""), filters: map[string]string{}}
	if n, err := strconv.ParseInt(r.Param("from_index", ""), 10, 32); err == nil {
		q.from = int(n)
	}
	if n, err := strconv.ParseInt(r.Param("max_items", ""), 10, 32); err == nil {
		q.size = int(n)
	}
	q.order = strings.ToLower(r.Param("sort_order", "asc"))
	if q.order != "asc" && q.order != "desc" {
		return q, fault.Illegal("No enum constant org.opensearch.search.sort.SortOrder.%s", strings.ToUpper(q.order))
	}
	for _, name := range filterFields {
		if r.Has(name) {
			q.filters[name] = r.Param(name, "")
		}
	}
	return q, q.check()
}

// remove deletes channels: all of those that are named, or none if one is missing.
func (a *API) remove(r *rest.Request) (rest.Action, error) {
	list := r.List("config_id_list")
	one := r.Path("config_id")
	if len(list) > 0 {
		one = "" // the plugin's own precedence
	}
	ids := readIDs(list, one)
	return func(ctx context.Context) (*rest.Response, error) {
		if len(ids) == 0 {
			return nil, &fault.Error{
				Status: http.StatusBadRequest, Form: fault.Text, Reason: "either config_id or config_id_list is required",
			}
		}
		if _, err := a.all(ctx, ids); err != nil {
			return nil, err
		}
		statuses, err := a.store.remove(ctx, ids)
		if err != nil {
			return nil, err
		}
		return answerRemoved(ids, statuses), nil
	}, nil
}

func answerRemoved(ids []string, statuses []int) *rest.Response {
	list := wire.Object{}
	overall := statuses[0]
	for i, id := range ids {
		name := strings.ToUpper(strings.ReplaceAll(http.StatusText(statuses[i]), " ", "_"))
		list.Add(id, name)
		if statuses[i] != overall {
			overall = http.StatusMultiStatus
		}
	}
	return &rest.Response{Status: overall, Body: wire.Obj("delete_response_list", list)}
}
