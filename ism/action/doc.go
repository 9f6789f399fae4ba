// SPDX-License-Identifier: Apache-2.0

// Package action does what policies decide: one file per action type, each a list of steps.
//
// A [Step] is one idempotent piece of an action. It looks at the cluster before it acts, and what it is about to do
// is stored before it is done, so that after a crash at any instant it is run again and finishes. It reports a result
// (completed, condition_not_met or failed, with the plugin's messages), or an error if it is not known what became of
// its call, because the cluster was not reached, was overloaded or did not answer; the caller runs it again then, and
// no retry of the policy is used up.
//
// Whether a step is due, and every condition, is decided in package ism. Steps read no clock but [Env.Now].
package action
