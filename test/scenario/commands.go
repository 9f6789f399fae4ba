// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/opensteward/steward/wire"
)

const api = "/_plugins/_ism/"

// forms are the lines that a scenario may have. The first that fits counts.
var forms = []form{
	newForm("policy <id>", true, putPolicy),
	newForm("delete policy <id>", false, simple(http.MethodDelete, api+"policies/%s")),
	newForm("create data stream <name>", true, createDataStream),
	newForm("create <index>", true, createIndex),
	newForm("delete <index>", false, simple(http.MethodDelete, "/%s")),
	newForm("open <index>", false, simple(http.MethodPost, "/%s/_open")),
	newForm("close <index>", false, simple(http.MethodPost, "/%s/_close")),
	newForm("index <n> documents into <target>", false, indexDocuments),
	newForm("index <n> document into <target>", false, indexDocuments),
	newForm("set cluster", true, setCluster),
	newForm("set <index>", true, setIndex),
	newForm("add alias <name> to <index>", false, changeAlias("add")),
	newForm("remove alias <name> from <index>", false, changeAlias("remove")),
	newForm("roll over <target>", false, simple(http.MethodPost, "/%s/_rollover")),
	newForm("attach <policy> to <index>", false, attach),
	newForm("detach <index>", false, detach),
	newForm("change <index> to <policy> in state <state>", false, changePolicy),
	newForm("change <index> to <policy>", false, changePolicy),
	newForm("retry <index> in state <state>", false, retry),
	newForm("retry <index>", false, retry),
	newForm("send <method> <path>", true, send),
	newForm("answer <method> <path> with <status>", true, answer),
	newForm("answer <method> <path> as usual", false, answer),
	newForm("edit <index>", true, edit),
	newForm("at ...", false, at),
	newForm("expect no <index>", false, expectNone),
	newForm("expect recorded <index>", true, expectRecorded),
	newForm("expect runs of <index>", true, expectRuns),
	newForm("expect in <path>", true, expectIn),
	newForm("expect <index>", true, expect),
}

// simple is a line that is one request without a body.
func simple(method, path string) func([]string, block) (func(*player) error, error) {
	return func(w []string, _ block) (func(*player) error, error) {
		return func(p *player) error {
			_, err := p.call(method, fmt.Sprintf(path, w[0]), nil)
			return err
		}, nil
	}
}

func putPolicy(w []string, b block) (func(*player) error, error) {
	body := b.joined()
	if !json.Valid(body) {
		return nil, fmt.Errorf("what follows is not JSON")
	}
	return func(p *player) error {
		_, err := p.call(http.MethodPut, api+"policies/"+w[0], body)
		return err
	}, nil
}

func send(w []string, b block) (func(*player) error, error) {
	var body any
	if raw := b.joined(); len(raw) > 0 {
		body = raw
	}
	return func(p *player) error {
		path, err := p.fill(w[1])
		if err != nil {
			return err
		}
		_, err = p.call(w[0], path, body)
		return err
	}, nil
}

var explained = regexp.MustCompile(`\{([\w.-]+):([\w.]+)\}`)

// fill puts what explain shows in the places of a text that name it: {logs-1:action.action_properties.rollup_id}.
func (p *player) fill(text string) (string, error) {
	for _, place := range explained.FindAllStringSubmatch(text, -1) {
		answer, err := p.call(http.MethodGet, api+"explain/"+place[1], nil)
		if err != nil {
			return "", err
		}
		entry, err := member(answer, place[1])
		if err != nil {
			return "", err
		}
		value, found := find(entry, place[2])
		if !found {
			return "", fmt.Errorf("explain shows no %s: %s", place[0], answer)
		}
		text = strings.Replace(text, place[0], fmt.Sprint(value), 1)
	}
	return text, nil
}

// index is the body of an index's creation: its settings and aliases.
func (b block) index() (settings, aliases wire.Object, err error) {
	names, values, err := b.pairs()
	settings, aliases = wire.Obj("index.number_of_replicas", 0), wire.Object{}
	for i, name := range names {
		switch alias, write := strings.CutPrefix(values[i], "alias "); {
		case name == "alias":
			aliases.Add(values[i], wire.Object{})
		case name == "write" && write:
			aliases.Add(alias, wire.Obj("is_write_index", true))
		default:
			settings.Add(name, values[i])
		}
	}
	return settings, aliases, err
}

func createIndex(w []string, b block) (func(*player) error, error) {
	settings, aliases, err := b.index()
	return func(p *player) error {
		_, err := p.call(http.MethodPut, "/"+w[0], wire.Obj("settings", settings, "aliases", aliases))
		return err
	}, err
}

func createDataStream(w []string, b block) (func(*player) error, error) {
	settings, _, err := b.index()
	return func(p *player) error {
		template := wire.Obj("index_patterns", []string{w[0]}, "data_stream", wire.Object{}, "template", wire.Obj("settings", settings))
		if _, err := p.call(http.MethodPut, "/_index_template/"+w[0], template); err != nil {
			return err
		}
		_, err := p.call(http.MethodPut, "/_data_stream/"+w[0], nil)
		return err
	}, err
}

func indexDocuments(w []string, _ block) (func(*player) error, error) {
	n, err := strconv.Atoi(w[0])
	return func(p *player) error {
		var body bytes.Buffer
		for i := range n {
			fmt.Fprintf(&body, "{\"create\":{}}\n{\"@timestamp\":%d,\"n\":%d}\n", p.Now().UnixMilli(), i)
		}
		answer, err := p.call(http.MethodPost, "/"+w[1]+"/_bulk?refresh=true", body.Bytes())
		if err != nil {
			return err
		}
		failed, err := member(answer, "errors")
		if err == nil && failed != false {
			err = fmt.Errorf("refused: %s", answer)
		}
		return err
	}, err
}

// settings are the lines of a block as settings: texts, or lists in JSON. null removes one.
func (b block) settings() (wire.Object, error) {
	names, values, err := b.pairs()
	o := wire.Object{}
	for i, name := range names {
		switch list, err := decode([]byte(values[i])); {
		case values[i] == "null":
			o.Add(name, nil)
		case err == nil && values[i][0] == '[':
			o.Add(name, list)
		default:
			o.Add(name, values[i])
		}
	}
	return o, err
}

func setCluster(_ []string, b block) (func(*player) error, error) {
	settings, err := b.settings()
	return func(p *player) error {
		_, err := p.call(http.MethodPut, "/_cluster/settings", wire.Obj("persistent", settings))
		return err
	}, err
}

func setIndex(w []string, b block) (func(*player) error, error) {
	settings, err := b.settings()
	return func(p *player) error {
		_, err := p.call(http.MethodPut, "/"+w[0]+"/_settings", settings)
		return err
	}, err
}

func changeAlias(kind string) func([]string, block) (func(*player) error, error) {
	return func(w []string, _ block) (func(*player) error, error) {
		action := wire.Obj(kind, wire.Obj("index", w[1], "alias", w[0]))
		return func(p *player) error {
			_, err := p.call(http.MethodPost, "/_aliases", wire.Obj("actions", []any{action}))
			return err
		}, nil
	}
}

func attach(w []string, _ block) (func(*player) error, error) {
	return func(p *player) error { return p.manage(api+"add/"+w[1], wire.Obj("policy_id", w[0])) }, nil
}

func detach(w []string, _ block) (func(*player) error, error) {
	return func(p *player) error { return p.manage(api+"remove/"+w[0], nil) }, nil
}

func changePolicy(w []string, _ block) (func(*player) error, error) {
	body := wire.Obj("policy_id", w[1])
	if len(w) > 2 {
		body.Add("state", w[2])
	}
	return func(p *player) error { return p.manage(api+"change_policy/"+w[0], body) }, nil
}

func retry(w []string, _ block) (func(*player) error, error) {
	var body any
	if len(w) > 1 {
		body = wire.Obj("state", w[1])
	}
	return func(p *player) error { return p.manage(api+"retry/"+w[0], body) }, nil
}

func at(w []string, _ block) (func(*player) error, error) {
	d, err := duration(w[0])
	return func(p *player) error { return p.wait(d) }, err
}
