// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"bytes"
	"errors"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/opensteward/steward/fault"
)

// ToYAML converts a JSON document to YAML as OpenSearch prints it ("---" first), order and numbers kept.
func ToYAML(body []byte) ([]byte, error) {
	p := NewParser(body)
	if _, err := p.Next(); err != nil {
		return nil, err
	}
	node, err := toNode(p)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	out.WriteString("---\n")
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	enc.CompactSeqIndent()
	if err := errors.Join(enc.Encode(node), enc.Close()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// yamlWords are names that older YAML reads as something else, and OpenSearch therefore quotes.
var yamlWords = []string{"n", "no", "off", "on", "y", "yes"}

func toNode(p *Parser) (*yaml.Node, error) {
	switch p.Token() {
	case StartObject:
		n := &yaml.Node{Kind: yaml.MappingNode}
		err := p.Object(func(name string) error {
			v, err := toNode(p)
			key := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name}
			if slices.Contains(yamlWords, strings.ToLower(name)) {
				key.Style = yaml.DoubleQuotedStyle
			}
			n.Content = append(n.Content, key, v)
			return err
		})
		return n, err
	case StartArray:
		n := &yaml.Node{Kind: yaml.SequenceNode}
		err := p.Array(func() error {
			v, err := toNode(p)
			n.Content = append(n.Content, v)
			return err
		})
		return n, err
	case Null:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}, nil
	case String:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: p.text, Style: yaml.DoubleQuotedStyle}, nil
	default:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: p.text}, nil
	}
}

// FromYAML converts a YAML document to JSON, order kept, without turning dates into anything else. Aliases are refused:
// they can make a small body enormous.
func FromYAML(body []byte) ([]byte, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(body, &doc); err != nil {
		return nil, fault.New(400, "yaml_exception", "%s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(doc.Content) == 0 {
		return []byte("null"), nil
	}
	var out bytes.Buffer
	if err := fromNode(&out, doc.Content[0]); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

func fromNode(out *bytes.Buffer, n *yaml.Node) error {
	switch n.Kind {
	case yaml.MappingNode:
		out.WriteByte('{')
		for i := 0; i < len(n.Content); i += 2 {
			if i > 0 {
				out.WriteByte(',')
			}
			if n.Content[i].Kind != yaml.ScalarNode {
				return fault.New(400, "yaml_exception", "line %d: a key must be a scalar", n.Content[i].Line)
			}
			if err := writeText(out, n.Content[i].Value); err != nil {
				return err
			}
			out.WriteByte(':')
			if err := fromNode(out, n.Content[i+1]); err != nil {
				return err
			}
		}
		out.WriteByte('}')
		return nil
	case yaml.SequenceNode:
		out.WriteByte('[')
		for i, item := range n.Content {
			if i > 0 {
				out.WriteByte(',')
			}
			if err := fromNode(out, item); err != nil {
				return err
			}
		}
		out.WriteByte(']')
		return nil
	case yaml.ScalarNode:
		return fromScalar(out, n)
	default:
		return fault.New(400, "yaml_exception", "line %d: aliases are not supported", n.Line)
	}
}

func fromScalar(out *bytes.Buffer, n *yaml.Node) error {
	switch n.ShortTag() {
	case "!!null":
		out.WriteString("null")
	case "!!bool":
		out.WriteString(strings.ToLower(n.Value))
	case "!!int", "!!float":
		if !jsonNumber.MatchString(n.Value) {
			return writeText(out, n.Value)
		}
		out.WriteString(n.Value)
	default:
		return writeText(out, n.Value)
	}
	return nil
}

func writeText(out *bytes.Buffer, s string) error {
	b, err := Marshal(s)
	out.Write(b)
	return err
}
