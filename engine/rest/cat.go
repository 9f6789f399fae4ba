// SPDX-License-Identifier: Apache-2.0

package rest

import "github.com/opensteward/steward/wire/rest"

func (s *Server) catRoutes(*rest.Router) {}
