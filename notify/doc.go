// SPDX-License-Identifier: Apache-2.0

// Package notify sends messages to people: it keeps the channels they are sent to, and delivers.
//
// [API] answers /_plugins/_notifications as OpenSearch's notifications plugin does, for channels of the kinds Slack,
// Chime and webhook; the others (e-mail, SNS, Microsoft Teams ...) are refused by name. Channels are the plugin's own
// documents in the plugin's own index, written under the version that was read. In front of a cluster that has the
// plugin the API matches nothing, so that requests are passed on ([Plugin]).
//
// A [Sender] renders nothing and keeps nothing: it delivers one message to one destination or channel, with time-outs
// and retries, and says what became of it. A message may arrive twice, because an endpoint may have taken it without
// answering. Where calls may go is decided by [egress.Policy] on the address that is dialled. No URL of a destination,
// which often is a secret, stands in an error.
//
// [Template] renders a message.
package notify
