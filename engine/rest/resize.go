// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/opensteward/steward/engine/catalog"
	"github.com/opensteward/steward/engine/query"
	"github.com/opensteward/steward/engine/rest/tasks"
	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
	"github.com/opensteward/steward/wire/rest"
	"github.com/opensteward/steward/wire/setting"
)

func (s *Server) resizeRoutes(rt *rest.Router) {
	for _, kind := range []catalog.ResizeKind{catalog.Shrink, catalog.Split, catalog.Clone} {
		for _, method := range []string{"PUT", "POST"} {
			rt.Handle(method, "/{index}/_"+string(kind)+"/{target}", func(r *rest.Request) (rest.Action, error) { return s.resize(r, kind) })
		}
	}
}

// resize answers when the new index is complete, whatever its timeout, and goes on when its client leaves: the client
// finds the index when it comes again.
func (s *Server) resize(r *rest.Request, kind catalog.ResizeKind) (rest.Action, error) {
	request := catalog.Resize{Kind: kind, Source: r.Path("index"), Target: r.Path("target"), Node: query.NodeID}
	wait, err := resizeParams(r, &request)
	if err != nil {
		return nil, err
	}
	body, err := r.Body()
	if err != nil {
		return nil, err
	}
	b, err := parseResize(body)
	if err != nil {
		return nil, err
	}
	if err := b.check(kind, request.Target); err != nil {
		return nil, err
	}
	request.Aliases, request.MaxShardSize = b.aliases, b.maxShardSize()
	if b.settings != nil {
		if request.Settings, err = catalog.ParseIndexSettings(b.settings); err != nil {
			return nil, err
		}
	}
	work := tasks.Work{Action: "indices:admin/resize", Description: string(kind) + " from [" + request.Source + "] to [" + request.Target + "]"}
	run := func(ctx context.Context) (*rest.Response, error) {
		made, err := s.Catalog.Resize(ctx, request)
		if err != nil {
			return nil, err
		}
		return rest.OK(wire.Obj("acknowledged", true, "shards_acknowledged", made.Acknowledges(request.ActiveShards), "index", made.Name)), nil
	}
	return func(ctx context.Context) (*rest.Response, error) { return s.perform(ctx, r, work, run, wait) }, nil
}

// resizeParams reads the parameters, and whether the request waits for the end.
func resizeParams(r *rest.Request, into *catalog.Resize) (wait bool, err error) {
	if !r.Bool("copy_settings", true) {
		return false, fault.Illegal("parameter [copy_settings] can not be explicitly set to [false]")
	}
	timeouts(r)
	if into.ActiveShards, err = catalog.ParseActiveShards(r.Param("wait_for_active_shards", "")); err != nil {
		return false, err
	}
	if wait = r.Bool("wait_for_completion", true); !wait {
		r.Duration("task_execution_timeout", 0)
	}
	return wait, nil
}

// resizeBody is what a resize asks for, as it is written.
type resizeBody struct {
	settings json.RawMessage
	aliases  map[string]catalog.Alias
	largest  *wire.Bytes
}

func parseResize(body []byte) (b resizeBody, err error) {
	if body == nil {
		return b, nil
	}
	p := wire.NewParser(body)
	err = p.Declared("resize_request", wire.Declared{
		"settings": {Takes: []wire.Token{wire.StartObject}, Read: func() (err error) {
			b.settings, err = p.Raw()
			return err
		}},
		"aliases": {Takes: []wire.Token{wire.StartObject}, Read: func() error {
			raw, err := p.Raw()
			if err == nil {
				b.aliases, err = parseNewAliases(raw)
			}
			return err
		}},
		"max_shard_size": p.DeclaredText(func(text string) error {
			size, err := wire.ParseBytes(text, "max_shard_size")
			b.largest = &size
			return err
		}),
	})
	return b, err
}

func (b *resizeBody) maxShardSize() int64 {
	if b.largest == nil {
		return 0
	}
	return b.largest.Value()
}

// check refuses requests that make no sense, by the names of settings as they are written.
func (b *resizeBody) check(kind catalog.ResizeKind, target string) error {
	values := setting.Values{}
	if b.settings != nil {
		given, nulls, err := setting.Flatten(b.settings)
		if err != nil {
			return err
		}
		values = given
		for _, key := range nulls {
			values[key] = setting.Null
		}
	}
	var wrong []string
	refuse := func(is bool, why string) {
		if is {
			wrong = append(wrong, why)
		}
	}
	_, counted := values["index.number_of_shards"]
	_, parted := values["index.routing_partition_size"]
	refuse(slices.ContainsFunc(sorted(values), func(key string) bool { return strings.HasPrefix(key, "index.sort.") }),
		"can't override index sort when resizing an index")
	refuse(parted, "cannot provide a routing partition size value when resizing an index")
	refuse(kind == catalog.Split && !counted, "index.number_of_shards is required for split operations")
	refuse(kind != catalog.Shrink && b.largest != nil, "Unsupported parameter [max_shard_size]")
	refuse(kind == catalog.Shrink && b.largest != nil && counted, "Cannot set max_shard_size and index.number_of_shards at the same time!")
	refuse(b.largest != nil && b.maxShardSize() <= 0, "max_shard_size must be greater than 0")
	for _, block := range []string{"index.blocks.read_only", "index.blocks.metadata"} {
		on, _ := strconv.ParseBool(values[block])
		refuse(on, "target index ["+target+"] will be blocked by ["+block+"=true], this will disable metadata writes and cause the shards to be unassigned")
	}
	if len(wrong) > 0 {
		return fault.Validation(wrong...)
	}
	return nil
}
