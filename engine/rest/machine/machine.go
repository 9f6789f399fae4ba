// SPDX-License-Identifier: Apache-2.0

// Package machine reads what the operating system and Go's runtime tell about the machine and this process: memory, load,
// disk, open files, processor time. It reads /proc, so on other systems than Linux some figures are 0.
package machine

import (
	"bufio"
	"bytes"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Started is when this process began, about.
var Started = time.Now()

// Figures are of the machine and the process. What the operating system does not tell is 0.
type Figures struct {
	MemTotal, MemFree, SwapTotal, SwapFree int64 // bytes
	Load                                   [3]float64
	DiskTotal, DiskFree, DiskAvailable     int64 // bytes, of the file system of a directory
	OpenFiles, MaxFiles                    int64
	HeapUsed, HeapCommitted                int64         // bytes
	Virtual                                int64         // bytes of address space
	CPU                                    time.Duration // that the process has used
	Collections                            uint32
	Collecting                             time.Duration
	Uptime                                 time.Duration
}

// Read reads the figures; those of the disk are of the file system that holds dir.
func Read(dir string) Figures {
	var m Figures
	memory := meminfo("/proc/meminfo")
	m.MemTotal, m.MemFree = memory["MemTotal"], memory["MemAvailable"]
	m.SwapTotal, m.SwapFree = memory["SwapTotal"], memory["SwapFree"]
	m.Virtual = meminfo("/proc/self/status")["VmSize"]
	m.Load = loadAverage()
	m.readDisk(dir)
	m.readFiles()
	m.readRuntime()
	return m
}

// meminfo reads lines like "MemTotal: 1024 kB", in bytes.
func meminfo(path string) map[string]int64 {
	out := map[string]int64{}
	b, err := os.ReadFile(path)
	if err != nil {
		return out
	}
	for lines := bufio.NewScanner(bytes.NewReader(b)); lines.Scan(); {
		name, rest, _ := strings.Cut(lines.Text(), ":")
		fields := strings.Fields(rest)
		if len(fields) != 2 || fields[1] != "kB" {
			continue
		}
		if n, err := strconv.ParseInt(fields[0], 10, 64); err == nil {
			out[name] = n << 10
		}
	}
	return out
}

func loadAverage() (load [3]float64) {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return load
	}
	for i, text := range strings.Fields(string(b)) {
		if i < len(load) {
			load[i], _ = strconv.ParseFloat(text, 64)
		}
	}
	return load
}

func (m *Figures) readDisk(dir string) {
	var fs unix.Statfs_t
	if unix.Statfs(dir, &fs) != nil {
		return
	}
	size := fs.Bsize
	m.DiskTotal, m.DiskFree, m.DiskAvailable = int64(fs.Blocks)*size, int64(fs.Bfree)*size, int64(fs.Bavail)*size
}

func (m *Figures) readFiles() {
	if entries, err := os.ReadDir("/proc/self/fd"); err == nil {
		m.OpenFiles = int64(len(entries))
	}
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) == nil {
		m.MaxFiles = int64(limit.Cur)
	}
}

func (m *Figures) readRuntime() {
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	m.HeapUsed, m.HeapCommitted = int64(mem.HeapAlloc), int64(mem.HeapSys)
	m.Collections, m.Collecting = mem.NumGC, time.Duration(mem.PauseTotalNs)
	m.Uptime = time.Since(Started)
	var usage unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &usage) == nil {
		m.CPU = time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
}

// HeapMax is what the heap may grow to: the machine's memory.
func (m *Figures) HeapMax() int64 { return max(m.MemTotal, m.HeapCommitted) }

// CPUPercent is how busy the machine's processors were within the last minute.
func (m *Figures) CPUPercent() int { return min(100, int(100*m.Load[0]/float64(runtime.NumCPU()))) }

// ProcessPercent is which part of the processors this process has used since it began.
func (m *Figures) ProcessPercent() int {
	return Percent(int64(m.CPU), int64(m.Uptime)*int64(runtime.NumCPU()))
}

// Percent is part of whole in percent, 0 of nothing.
func Percent(part, whole int64) int {
	if whole <= 0 {
		return 0
	}
	return int(100 * float64(part) / float64(whole))
}
