// SPDX-License-Identifier: Apache-2.0

package measure

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Process is a process by its id, of which /proc tells what it costs. All figures are 0 where there is no /proc.
type Process int

// Self is this process.
func Self() Process { return Process(os.Getpid()) }

// ticksASecond is in what /proc counts processor time on Linux, whatever the kernel's own clock is (USER_HZ).
const ticksASecond = 100

// CPU is the processor time that the process has used, to a hundredth of a second.
func (p Process) CPU() time.Duration {
	text := p.read("stat")
	// The second field is a name in parentheses, which may contain anything.
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 13 {
		return 0
	}
	ticks := int64(0)
	for _, field := range fields[11:13] { // utime and stime
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / ticksASecond
}

// RSS is the memory that the process has resident, in bytes.
func (p Process) RSS() int64 { return p.status("VmRSS") }

// Peak is the most that it ever had resident, in bytes.
func (p Process) Peak() int64 { return p.status("VmHWM") }

// Memory is both in words.
func (p Process) Memory() string {
	return fmt.Sprintf("%d MB resident, %d MB at most so far", p.RSS()>>20, p.Peak()>>20)
}

var statusLine = regexp.MustCompile(`(?m)^(\w+):\s+(\d+) kB$`)

func (p Process) status(name string) int64 {
	for _, line := range statusLine.FindAllStringSubmatch(p.read("status"), -1) {
		if line[1] == name {
			n, _ := strconv.ParseInt(line[2], 10, 64) // digits
			return n << 10
		}
	}
	return 0
}

func (p Process) read(file string) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", int(p), file))
	if err != nil {
		return ""
	}
	return string(b)
}
