// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"github.com/opensteward/steward/wire"
)

const defaultDateIndexFormat = "yyyy-MM-dd'T'HH:mm:ss.SSSXX"

// newDateIndexName sends a document to the index of its date: a date-math name that rounds the date.
func newDateIndexName(_ *Service, c *config) processor {
	field := c.text("field")
	zone := c.optional("timezone", "UTC")
	c.english()
	formats := []string{defaultDateIndexFormat}
	if list := c.texts("date_formats"); list != nil {
		formats = list
	}
	prefix := c.compile("index_name_prefix", c.optional("index_name_prefix", ""))
	rounding := c.template("date_rounding")
	name := c.compile("index_name_format", c.optional("index_name_format", "yyyy-MM-dd"))
	if _, err := wire.ParseZone(zone); err != nil {
		c.wrong("timezone", "%s", err)
	}
	var readers []dateReader
	for _, f := range formats {
		readers = append(readers, c.dateReader(f))
	}
	return changing(func(d *Document) error {
		v, err := d.get(field)
		if err != nil {
			return err
		}
		at, err := d.readDate(v, template{fixed: zone}, readers)
		if err != nil {
			return err
		}
		var parts [3]string
		for i, t := range []template{prefix, rounding, name} {
			if parts[i], err = t.render(d); err != nil {
				return err
			}
		}
		return d.set(fieldIndex, "<"+parts[0]+"{"+wire.FormatDate(at, parts[2])+"||/"+parts[1]+"{"+parts[2]+"|"+zone+"}}>")
	})
}
