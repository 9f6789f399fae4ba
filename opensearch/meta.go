// SPDX-License-Identifier: Apache-2.0

package opensearch

// metaName is the member of a mapping's _meta that keeps the plugins' index settings where the cluster refuses them.
const metaName = "index_state_management"
