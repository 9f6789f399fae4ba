// SPDX-License-Identifier: Apache-2.0

// Package scenario reads and plays lifecycles that are written down as text: a policy, what happens to an index and
// when, and what explain has to show. The files are in testdata, one behaviour each, named as a sentence.
//
// A file is a list of lines. What follows a line with deeper indentation belongs to it. A # begins a comment; the
// comment a file begins with says what it shows. Every name of a policy, index, alias or data stream begins with
// "logs", which [Parse] replaces, so that scenarios can share a cluster.
//
//	policy <id>                          stores a policy; its JSON follows
//	delete policy <id>
//	create <index>                       creates an index; follow "alias <name>", "write alias <name>" and settings
//	create data stream <name>            with its index template; settings follow
//	delete <index>, open <index>, close <index>
//	index <n> documents into <target>
//	set <index>, set cluster             changes settings; lines "<name> <value>" follow, null removes one
//	add alias <name> to <index>, remove alias <name> from <index>
//	roll over <target>                   by hand
//	attach <policy> to <index>
//	detach <index>
//	change <index> to <policy> [in state <state>]
//	retry <index> [in state <state>]
//	send <method> <path>                 any other request that has to succeed; its JSON body may follow
//	answer <method> <path> with <status> from now on, requests to the cluster are answered so, with the JSON that follows;
//	                                     * in the path fits anything, {name} in the JSON is the last part of the path
//	answer <method> <path> as usual      the cluster answers them itself again
//	edit <index>                         changes one of its documents by hand; lines "managed_index.<path> <value>", or
//	                                     "managed_index_metadata.<path> <value>", follow
//	at <time>                            lets time pass until then: "7d", "6d 23h 59m 59s 999ms", counted from the start
//	expect <index>                       what explain shows of it; lines "<path> <value>" follow
//	expect in <path>                     what a GET answers; lines "<path> <value>" follow
//	expect no <index>                    it does not exist
//	expect recorded <index>              what the history has of it; a line for each message, or (completed)
//	expect runs of <index>               at native pace alone: what the next runs leave in its documents, a line for each
//
// {<index>:<path>}, in the path of a request or in an answer, is what explain shows of an index; "http://steward/" stands for
// the address of the program.
//
// The clock starts at [Start], a Monday at 10:00 UTC, which cron expressions count on. A path names a member
// of the index's entry in explain: "info.conditions.min_doc_count.current". A value is JSON, or a text as it stands, in which
// * fits anything; "@7d" is the instant seven days after the start, in epoch milliseconds; "absent" means that there is no
// such member.
//
// A run's line is "<state> <action> <step> <status> <message>", "-" for what is null. The other members of the job and of the
// metadata follow from the lines by the plugin's rules (documents.go), and are compared, too. "same" is a run that writes
// nothing, "disabled" one that disables the job, "failed <message>" one that fails the policy itself and disables the job,
// "gone" one after which there are no index and no documents.
//
// A line "# At full pace: ..." below the title says why a file cannot be played at native pace,
// "# At native pace: ..." why not at full pace; "# On a cluster: ..." why the simulated cluster does not do, "# On the
// engine: ..." why a real cluster does not do.
//
// A scenario is played on any [Backend]: a simulated cluster around the pure core (package simulated), the whole program
// with a virtual clock on the embedded engine and before a real cluster, whose time stamps are put in that clock's time; and
// once more on the embedded engine at native pace, with a run each minute, where everything may happen later. What a file
// expects is what all of them show.
package scenario
