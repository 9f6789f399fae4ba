// SPDX-License-Identifier: Apache-2.0

package machine

import "testing"

func TestTheFiguresFitEachOther(t *testing.T) {
	m := Read(t.TempDir())
	switch {
	case m.HeapUsed <= 0 || m.HeapUsed > m.HeapMax():
		t.Errorf("%d bytes of at most %d on the heap", m.HeapUsed, m.HeapMax())
	case m.DiskTotal <= 0 || m.DiskAvailable > m.DiskTotal:
		t.Errorf("%d bytes of %d are free on the disk", m.DiskAvailable, m.DiskTotal)
	case m.MemFree > m.MemTotal:
		t.Errorf("%d bytes of %d are free", m.MemFree, m.MemTotal)
	case m.Uptime <= 0:
		t.Errorf("up since %s", m.Uptime)
	}
}

func TestWhatCannotBeReadIsZero(t *testing.T) {
	if got := meminfo("/nowhere/at/all"); len(got) != 0 {
		t.Errorf("%v", got)
	}
	if m := Read("/nowhere/at/all"); m.DiskTotal != 0 {
		t.Errorf("%d bytes on a disk that is not there", m.DiskTotal)
	}
}

func TestPercent(t *testing.T) {
	for _, c := range []struct {
		part, whole int64
		want        int
	}{{1, 4, 25}, {2, 3, 66}, {0, 5, 0}, {5, 0, 0}} {
		if got := Percent(c.part, c.whole); got != c.want {
			t.Errorf("%d of %d is %d percent, want %d", c.part, c.whole, got, c.want)
		}
	}
}
