// SPDX-License-Identifier: Apache-2.0

package ml

import (
	"context"
	"net/http"
	"slices"

	"github.com/opensteward/steward/fault"
	"github.com/opensteward/steward/wire"
)

// ModelGroup holds the versions of a model.
type ModelGroup struct {
	Name          string  `json:"name"`
	LatestVersion int     `json:"latest_version"`
	Description   *string `json:"description,omitempty"`
	Created       int64   `json:"created_time,omitempty"`
	Updated       int64   `json:"last_updated_time,omitempty"`
}

// parseGroup reads the body of a request; what it does not give is nil.
func parseGroup(body []byte) (name, description *string, err error) {
	err = wire.ReadObject(body, func(p *wire.Parser, field string) error {
		switch field {
		case "name":
			return optional(p, &name)
		case "description":
			return optional(p, &description)
		}
		if slices.Contains(accessControl, field) {
			return noAccessControl("model")
		}
		return p.Skip()
	})
	return name, description, err
}

// RegisterGroup makes a model group and returns its id. Names are unique.
func (s *Service) RegisterGroup(ctx context.Context, body []byte) (string, error) {
	name, description, err := parseGroup(body)
	if err != nil {
		return "", err
	}
	if name == nil {
		return "", fault.Illegal("model group name is null")
	}
	if err := checkTexts("Model group", name, description); err != nil {
		return "", err
	}
	s.names.Lock()
	defer s.names.Unlock()
	if err := s.unusedName(ctx, *name); err != nil {
		return "", err
	}
	return s.addGroup(ctx, *name, description)
}

// unusedName refuses the name of a group that exists. It is called with names held.
func (s *Service) unusedName(ctx context.Context, name string) error {
	ids, err := s.find(ctx, ModelGroups, "name.keyword", name, 1)
	if err == nil && len(ids) > 0 {
		err = fault.Illegal("The name you provided is already being used by a model group with ID: %s.", ids[0])
	}
	return err
}

func (s *Service) addGroup(ctx context.Context, name string, description *string) (string, error) {
	id, now := newID(), s.now()
	return id, s.insert(ctx, ModelGroups, id, ModelGroup{Name: name, Description: description, Created: now, Updated: now})
}

// groupNamed is the id of the group of a name, made if there is none.
func (s *Service) groupNamed(ctx context.Context, name string, description *string) (string, error) {
	s.names.Lock()
	defer s.names.Unlock()
	ids, err := s.find(ctx, ModelGroups, "name.keyword", name, 1)
	if err != nil {
		return "", err
	}
	if len(ids) > 0 {
		return ids[0], nil
	}
	return s.addGroup(ctx, name, description)
}

// nextVersion counts one more model of a group.
func (s *Service) nextVersion(ctx context.Context, id string) (version int, err error) {
	_, err = change(ctx, s, ModelGroups, id, notFound("Model group not found with MODEL_GROUP_ID: %s", id), func(g *ModelGroup) error {
		g.LatestVersion++
		g.Updated = s.now()
		version = g.LatestVersion
		return nil
	})
	return version, err
}

// GetGroup returns a model group.
func (s *Service) GetGroup(id string) (*ModelGroup, error) {
	var g ModelGroup
	ok, err := s.read(ModelGroups, id, &g)
	if err == nil && !ok {
		err = notFound("Failed to find model group with the provided model group id: %s", id)
	}
	return &g, err
}

// UpdateGroup changes a group's name and description.
func (s *Service) UpdateGroup(ctx context.Context, id string, body []byte) error {
	name, description, err := parseGroup(body)
	if err != nil {
		return err
	}
	if err := checkTexts("Model group", name, description); err != nil {
		return err
	}
	s.names.Lock()
	defer s.names.Unlock()
	group, err := s.GetGroup(id)
	if fault.HasStatus(err, http.StatusNotFound) {
		err = notFound("Failed to find model group")
	}
	if err != nil {
		return err
	}
	if name != nil && *name != group.Name {
		if err := s.unusedName(ctx, *name); err != nil {
			return err
		}
	}
	_, err = change(ctx, s, ModelGroups, id, notFound("Failed to find model group"), func(g *ModelGroup) error {
		if name != nil {
			g.Name = *name
		}
		if description != nil {
			g.Description = description
		}
		g.Updated = s.now()
		return nil
	})
	return err
}

// DeleteGroup removes a model group that has no models.
func (s *Service) DeleteGroup(ctx context.Context, id string) (Written, error) {
	if _, err := s.GetGroup(id); err != nil {
		return Written{}, err
	}
	s.uses.Lock()
	defer s.uses.Unlock()
	models, err := s.find(ctx, Models, "model_group_id", id, 1)
	if err != nil {
		return Written{}, err
	}
	if len(models) > 0 {
		return Written{}, fault.Status(http.StatusConflict, "Cannot delete the model group when it has associated model versions")
	}
	return s.remove(ctx, ModelGroups, id)
}
