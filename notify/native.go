// SPDX-License-Identifier: Apache-2.0

package notify

// Plugin is the notifications plugin's name in _cat/plugins. A cluster that has it is passed all requests.
const Plugin = "opensearch-notifications"
