package client

import "time"

// Channel is a registered way to tell people; its secret is never read back.
type Channel struct {
	Name      string          `json:"name"`
	Kind      string          `json:"kind"` // slack, teams, email, pagerduty, jsm, servicenow, webhook
	Team      string          `json:"team,omitempty"`
	Settings  ChannelSettings `json:"settings"`
	Incidents string          `json:"incidents,omitempty"` // tells of incidents of at least this severity
	Off       bool            `json:"off"`
	Keyed     bool            `json:"keyed"`             // its receiver keeps one of what has the same key
	Answers   string          `json:"answers,omitempty"` // where what people press in it comes back to
	Revision  int64           `json:"revision"`
	UpdatedAt time.Time       `json:"updated_at"`
}

// ChannelSettings are what is not secret of a channel.
type ChannelSettings struct {
	URL      string `json:"url,omitempty"`
	Channel  string `json:"channel,omitempty"` // Slack's channel, a mail's recipient, a ticket's group
	From     string `json:"from,omitempty"`    // of mails
	User     string `json:"user,omitempty"`
	Signing  bool   `json:"signing"` // it has a secret by which what comes back is verified
	Insecure bool   `json:"insecure,omitempty"`
}

// PutChannelRequest makes or changes a channel. Secrets that are not given stay,
// unless it leads elsewhere now.
type PutChannelRequest struct {
	Name      string          `json:"-" path:"name"`
	Kind      string          `json:"kind"`
	Team      string          `json:"team,omitempty"`
	Settings  ChannelSettings `json:"settings"`
	Token     string          `json:"token,omitempty"`   // what sends: a bot's token, a webhook's address, a key, a password
	Signing   string          `json:"signing,omitempty"` // what verifies
	Incidents string          `json:"incidents,omitempty"`
	Off       bool            `json:"off,omitempty"`
	Revision  int64           `json:"revision,omitempty"`
}

// ChannelRequest names a channel.
type ChannelRequest struct {
	Name string `path:"name"`
}

// TryChannelRequest sends a test message.
type TryChannelRequest struct {
	Name string `json:"-" path:"name"`
	To   string `json:"to,omitempty"` // an address within it
}

// ChannelKind is a kind of channel that can be registered.
type ChannelKind struct {
	Name    string `json:"name"`
	Title   string `json:"title"`
	Keyed   bool   `json:"keyed"`
	Address string `json:"address,omitempty"` // what a person's address in it is
}

// Delivery is one message on one channel, with each try's answer.
type Delivery struct {
	ID        string            `json:"id"`
	Channel   string            `json:"channel"`
	Purpose   string            `json:"purpose"` // page, approval, notice, sync, test
	Object    string            `json:"object"`
	Page      string            `json:"page,omitempty"`
	Person    string            `json:"person,omitempty"`
	State     string            `json:"state"` // queued, claimed, sent, failed, unknown, cancelled
	Title     string            `json:"title"`
	Action    string            `json:"action"`
	Key       string            `json:"key"`
	CreatedAt time.Time         `json:"created_at"`
	NextAt    *time.Time        `json:"next_at"`
	DoneAt    *time.Time        `json:"done_at"`
	Attempts  int               `json:"attempts"`
	Tries     []DeliveryAttempt `json:"tries"`
}

// DeliveryAttempt is one try of a delivery.
type DeliveryAttempt struct {
	At      time.Time `json:"at"`
	TookMS  float64   `json:"took_ms"`
	Outcome string    `json:"outcome"` // sent, again, failed, unknown
	Status  int       `json:"status,omitempty"`
	Text    string    `json:"text,omitempty"`
	Ref     string    `json:"ref,omitempty"`
}

// ChannelState is what a system of paging or tickets told of what it was sent.
type ChannelState struct {
	At        time.Time `json:"at"` // by its clock
	ArrivedAt time.Time `json:"arrived_at"`
	State     string    `json:"state"` // acknowledge, resolve, unacknowledge, reassign
	Object    string    `json:"object"`
	By        string    `json:"by,omitempty"`
	To        string    `json:"to,omitempty"`
	Outcome   string    `json:"outcome"` // done, late, nothing, unknown
	Text      string    `json:"text,omitempty"`
}

// ListDeliveriesRequest narrows deliveries.
type ListDeliveriesRequest struct {
	Channel string     `query:"channel"`
	State   string     `query:"state"`
	Object  string     `query:"object"`
	Before  *time.Time `query:"before"`
	Limit   int        `query:"limit" max:"1000"`
}

// Rotation hands call on from person to person.
type Rotation struct {
	People []string  `json:"people"` // by name
	Start  time.Time `json:"start"`
	Every  string    `json:"every"` // day, week, or hours such as 12h
	Days   []string  `json:"days,omitempty"`
	Hours  string    `json:"hours,omitempty"`
}

// OnCallOverride puts somebody on call for a time.
type OnCallOverride struct {
	ID     string    `json:"id"`
	Person string    `json:"person"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	By     string    `json:"by"`
	Reason string    `json:"reason,omitempty"`
}

// OnCallShift is who is on call from when to when; nobody is "".
type OnCallShift struct {
	Person   string    `json:"person"`
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Further  bool      `json:"further,omitempty"` // it goes on: to is as far as was looked
	Override string    `json:"override,omitempty"`
}

// OnCallSchedule is who is on call for a team, now and next.
type OnCallSchedule struct {
	Name      string           `json:"name"`
	Team      string           `json:"team,omitempty"`
	Zone      string           `json:"zone"`
	Rotations []Rotation       `json:"rotations"`
	Overrides []OnCallOverride `json:"overrides"`
	Now       *OnCallShift     `json:"now"`                // null: nobody
	Next      *OnCallShift     `json:"next"`               // null: nobody within 90 days
	Reached   bool             `json:"reached"`            // whoever is on call has a contact
	Calendar  string           `json:"calendar,omitempty"` // the address of its iCalendar feed, for who may change it
	Revision  int64            `json:"revision"`
	UpdatedAt time.Time        `json:"updated_at"`
}

// OnCallScheduleDetail is a schedule with its shifts of the next weeks.
type OnCallScheduleDetail struct {
	OnCallSchedule
	Shifts []OnCallShift `json:"shifts"`
}

// ScheduleRequest names a schedule.
type ScheduleRequest struct {
	Name string `path:"name"`
	Days int    `query:"days" max:"90"`
}

// PutScheduleRequest makes or changes a schedule.
type PutScheduleRequest struct {
	Name      string     `json:"-" path:"name"`
	Team      string     `json:"team,omitempty"`
	Zone      string     `json:"zone"`
	Rotations []Rotation `json:"rotations"`
	Revision  int64      `json:"revision,omitempty"`
}

// NameRequest names something in its address.
type NameRequest struct {
	Name string `path:"name"`
}

// OverrideRequest puts somebody on call for a time.
type OverrideRequest struct {
	Name   string     `json:"-" path:"name"`
	Person string     `json:"person"` // a name, or "me"
	From   *time.Time `json:"from,omitempty"`
	To     time.Time  `json:"to"`
	Reason string     `json:"reason,omitempty"`
}

// EndOverrideRequest takes an override away.
type EndOverrideRequest struct {
	Name string `path:"name"`
	ID   string `path:"id"`
}

// EscalationLevel is who is called together.
type EscalationLevel struct {
	Schedules []string `json:"schedules,omitempty"`
	People    []string `json:"people,omitempty"`
	Channels  []string `json:"channels,omitempty"`
	After     string   `json:"after"` // the next level is called then
}

// EscalationPolicy says who is called, and who next.
type EscalationPolicy struct {
	Name      string            `json:"name"`
	Team      string            `json:"team,omitempty"`
	Levels    []EscalationLevel `json:"levels"`
	Repeat    int               `json:"repeat"`
	For       string            `json:"for,omitempty"` // incidents, approvals; "" both
	Revision  int64             `json:"revision"`
	UpdatedAt time.Time         `json:"updated_at"`
}

// PutEscalationPolicyRequest makes or changes an escalation policy.
type PutEscalationPolicyRequest struct {
	Name     string            `json:"-" path:"name"`
	Team     string            `json:"team,omitempty"`
	Levels   []EscalationLevel `json:"levels"`
	Repeat   int               `json:"repeat,omitempty"`
	For      string            `json:"for,omitempty"`
	Revision int64             `json:"revision,omitempty"`
}

// PageCall is one contact that a page called.
type PageCall struct {
	Person   string    `json:"person,omitempty"`
	Channel  string    `json:"channel"`
	Level    int       `json:"level"`
	At       time.Time `json:"at"`
	Delivery string    `json:"delivery"`
	State    string    `json:"state"` // queued, sent, failed, unknown, cancelled
}

// Page is one calling of people, until somebody answers.
type Page struct {
	ID         string     `json:"id"`
	Kind       string     `json:"kind"` // incident, approval
	Object     string     `json:"object"`
	Team       string     `json:"team,omitempty"`
	Title      string     `json:"title"`
	Severity   string     `json:"severity,omitempty"`
	State      string     `json:"state"` // paging, answered, exhausted, ended
	Policy     string     `json:"policy"`
	Step       int        `json:"step"`
	Levels     int        `json:"levels"`
	CreatedAt  time.Time  `json:"created_at"`
	NextAt     *time.Time `json:"next_at"` // the next level is called then
	EndedAt    *time.Time `json:"ended_at"`
	AnsweredBy string     `json:"answered_by,omitempty"`
	Why        string     `json:"why,omitempty"`
	Calls      []PageCall `json:"calls"`
}

// ListPagesRequest narrows pages.
type ListPagesRequest struct {
	Object string `query:"object"`
	Limit  int    `query:"limit" max:"1000"`
}

// Contact is how one is reached.
type Contact struct {
	Channel string `json:"channel"`
	Address string `json:"address,omitempty"`
}

// Contacts are how a person is reached.
type Contacts struct {
	Person string    `json:"person"`
	Items  []Contact `json:"items"`
}

// PutContactsRequest says how a person is reached; "me" is oneself.
type PutContactsRequest struct {
	Person string    `json:"-" path:"person"`
	Items  []Contact `json:"items"`
}

// ContactsRequest asks how a person is reached.
type ContactsRequest struct {
	Person string `path:"person"`
}

// LinkChatRequest says that an account in a chat is one's own.
type LinkChatRequest struct {
	Token string `json:"token"` // as the chat was given it
}
