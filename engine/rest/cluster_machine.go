// SPDX-License-Identifier: Apache-2.0

package rest

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

// processStarted is when this process began, about; ephemeralID is new with every process.
var (
	processStarted = time.Now()
	ephemeralID    = stableID("ephemeral", strconv.Itoa(os.Getpid()), processStarted.Format(time.RFC3339Nano))
)

// machine are figures of the machine and the process. What the operating system does not tell is 0.
type machine struct {
	memTotal, memFree, swapTotal, swapFree int64 // bytes
	load                                   [3]float64
	diskTotal, diskFree, diskAvailable     int64 // bytes, of the file system of the data directory
	openFiles, maxFiles                    int64
	heapUsed, heapCommitted                int64 // bytes
	virtual                                int64 // bytes of address space
	cpu                                    time.Duration
	collections                            uint32
	collecting                             time.Duration
	uptime                                 time.Duration
}

func readMachine(dir string) machine {
	var m machine
	memory := meminfo("/proc/meminfo")
	m.memTotal, m.memFree = memory["MemTotal"], memory["MemAvailable"]
	m.swapTotal, m.swapFree = memory["SwapTotal"], memory["SwapFree"]
	m.virtual = meminfo("/proc/self/status")["VmSize"]
	m.load = loadAverage()
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

func (m *machine) readDisk(dir string) {
	var fs unix.Statfs_t
	if unix.Statfs(dir, &fs) != nil {
		return
	}
	size := fs.Bsize
	m.diskTotal, m.diskFree, m.diskAvailable = int64(fs.Blocks)*size, int64(fs.Bfree)*size, int64(fs.Bavail)*size
}

func (m *machine) readFiles() {
	if entries, err := os.ReadDir("/proc/self/fd"); err == nil {
		m.openFiles = int64(len(entries))
	}
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) == nil {
		m.maxFiles = int64(limit.Cur)
	}
}

func (m *machine) readRuntime() {
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	m.heapUsed, m.heapCommitted = int64(mem.HeapAlloc), int64(mem.HeapSys)
	m.collections, m.collecting = mem.NumGC, time.Duration(mem.PauseTotalNs)
	m.uptime = time.Since(processStarted)
	var usage unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &usage) == nil {
		m.cpu = time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
}

// heapMax is what the heap may grow to: the machine's memory.
func (m *machine) heapMax() int64 { return max(m.memTotal, m.heapCommitted) }

// cpuPercent is how busy the machine's processors were within the last minute.
func (m *machine) cpuPercent() int { return min(100, int(100*m.load[0]/float64(runtime.NumCPU()))) }

// processPercent is which part of the processors this process has used since it began.
func (m *machine) processPercent() int {
	return percent(int64(m.cpu), int64(m.uptime)*int64(runtime.NumCPU()))
}

// percent is part of whole in percent, 0 of nothing.
func percent(part, whole int64) int {
	if whole <= 0 {
		return 0
	}
	return int(100 * float64(part) / float64(whole))
}
