// SPDX-License-Identifier: Apache-2.0

package ism_test

import (
	"encoding/json"
	"testing"

	"github.com/opensteward/steward/ism"
)

func TestPropertiesAreShownInMessagesAsThePluginShowsThem(t *testing.T) {
	segments, name, failed := 3, "s-1", false
	for _, c := range []struct {
		properties *ism.Properties
		want       string
	}{
		{nil, "null"},
		{
			&ism.Properties{},
			"ActionProperties(maxNumSegments=null, snapshotName=null, rollupId=null, hasRollupFailed=null, shrinkActionProperties=null, transformActionProperties=null)",
		},
		{
			&ism.Properties{MaxNumSegments: &segments, SnapshotName: &name, RollupID: &name, HasRollupFailed: &failed, Transform: json.RawMessage(`{}`)},
			"ActionProperties(maxNumSegments=3, snapshotName=s-1, rollupId=s-1, hasRollupFailed=false, shrinkActionProperties=null, " +
				"transformActionProperties=TransformActionProperties(transformId=null))",
		},
		{
			&ism.Properties{Shrink: json.RawMessage(`{"node_name":"n","target_index_name":"i_shrunken","target_num_shards":2,"lock_seq_no":7,"lock_primary_term":1,
				"lock_epoch_second":1772445600,"lock_duration_second":2700,"original_index_settings":{"index.blocks.write":"true","a":"b"}}`)},
			"ActionProperties(maxNumSegments=null, snapshotName=null, rollupId=null, hasRollupFailed=null, " +
				"shrinkActionProperties=ShrinkActionProperties(nodeName=n, targetIndexName=i_shrunken, targetNumShards=2, lockPrimaryTerm=1, lockSeqNo=7, " +
				"lockEpochSecond=1772445600, lockDurationSecond=2700, originalIndexSettings={a=b, index.blocks.write=true}), transformActionProperties=null)",
		},
	} {
		if got := c.properties.String(); got != c.want {
			t.Errorf("%s\nwant %s", got, c.want)
		}
	}
}
