package client

import "time"

// Lesson is what was learned of an incident, for agents to read.
type Lesson struct {
	ID          string     `json:"id"`
	Title       string     `json:"title"`
	Text        string     `json:"text"`
	Team        string     `json:"team"`        // whose agents; "" all teams'
	Environment string     `json:"environment"` // "" all
	Agents      []string   `json:"agents"`      // none: all of the team
	Incident    string     `json:"incident,omitempty"`
	Owner       string     `json:"owner"`
	Measure     string     `json:"measure,omitempty"` // failures, errors, cost, duration, steps
	State       string     `json:"state"`             // active, expired, revoked
	By          string     `json:"by"`
	CreatedAt   time.Time  `json:"created_at"`
	UpdatedAt   time.Time  `json:"updated_at"`
	ExpiresAt   time.Time  `json:"expires_at"`
	RevokedAt   *time.Time `json:"revoked_at"`
	RevokedBy   string     `json:"revoked_by,omitempty"`
	Why         string     `json:"why,omitempty"` // it was revoked
	Revision    int64      `json:"revision"`
}

// LessonDetail is a lesson with who read it and what came of its measure.
type LessonDetail struct {
	Lesson
	Reads  []LessonRead  `json:"reads"`
	Effect *LessonEffect `json:"effect"` // null: no measure, or nobody read it
}

// LessonRead is that an agent read a lesson.
type LessonRead struct {
	Agent    string    `json:"agent"`
	Revision int64     `json:"revision"`
	How      string    `json:"how"` // http, resource, prompt
	FirstAt  time.Time `json:"first_at"`
	LastAt   time.Time `json:"last_at"`
	Count    int64     `json:"count"`
}

// LessonEffect is a measure of the agents that read a lesson, in the week before the
// first of them did and in the week after; null where they had no runs.
type LessonEffect struct {
	Measure    string    `json:"measure"`
	Before     *float64  `json:"before"`
	After      *float64  `json:"after"`
	RunsBefore int64     `json:"runs_before"`
	RunsAfter  int64     `json:"runs_after"`
	From       time.Time `json:"from"`
	Since      time.Time `json:"since"` // the first read
	To         time.Time `json:"to"`
}

// ListLessonsRequest narrows lessons.
type ListLessonsRequest struct {
	State    string `query:"state"` // active, expired, revoked; all without it
	Incident string `query:"incident"`
	Agent    string `query:"agent"` // those that this agent is given
}

// LessonRequest names a lesson.
type LessonRequest struct {
	ID string `path:"id"`
}

// CreateLessonRequest makes a lesson.
type CreateLessonRequest struct {
	Title       string    `json:"title"`
	Text        string    `json:"text"`
	Team        string    `json:"team,omitempty"`
	Environment string    `json:"environment,omitempty"`
	Agents      []string  `json:"agents,omitempty"`
	Incident    string    `json:"incident,omitempty"` // number or id
	Owner       string    `json:"owner"`              // a person; me is oneself
	Measure     string    `json:"measure,omitempty"`
	ExpiresAt   time.Time `json:"expires_at"`
}

// UpdateLessonRequest changes a lesson: all of it is given. One that was revoked
// holds again.
type UpdateLessonRequest struct {
	ID string `json:"-" path:"id"`
	CreateLessonRequest
	Revision int64 `json:"revision"`
}

// RevokeLessonRequest takes a lesson back.
type RevokeLessonRequest struct {
	ID     string `json:"-" path:"id"`
	Reason string `json:"reason"`
}
