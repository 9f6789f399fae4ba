// SPDX-License-Identifier: Apache-2.0

package provision

// Kill ends a service as the death of its process would, as far as that can be had within one: no step begins any more,
// nothing is recorded any more, and it returns when nothing runs any more.
func (s *Service) Kill() {
	s.endRecording()
	s.stop()
	s.all.Wait()
}
