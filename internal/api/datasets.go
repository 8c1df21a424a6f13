package api

import (
	"context"
	"errors"

	"reeve/client"
	"reeve/internal/dataset"
	"reeve/internal/fault"
)

func (a *API) datasets() (*dataset.Book, error) {
	if a.o.Datasets == nil {
		return nil, fault.New(fault.KindUnavailable, "api.not_here", "this server keeps no data sets")
	}
	return a.o.Datasets, nil
}

func datasetActor(ctx context.Context) dataset.Actor {
	who := actorOf(ctx)
	return dataset.Actor{Person: who.Person, Name: who.Name, Via: who.Via, Can: func(role, team, environment string) bool {
		return who.Can(role, everyOf(team), everyOf(environment))
	}}
}

func datasetOf(s dataset.Set) client.Dataset {
	return client.Dataset{Name: s.Name, Team: s.Team, Environment: s.Environment, About: s.About, Basis: s.Basis, Version: s.Version, Items: s.Items, UpdatedAt: s.UpdatedAt}
}

func datasetItemOf(i dataset.Item) client.DatasetItem {
	out := client.DatasetItem{
		ID: i.ID, Case: i.Case, Dataset: i.Dataset, Added: i.Added, Removed: i.Removed, Revision: i.Revision, Run: i.Run, Agent: i.Agent, AgentVersion: i.Version, Task: i.Task,
		Input: []client.ChatMessage{}, Answer: i.Answer, Expected: i.Expected, Contains: list(i.Contains), Absent: list(i.Absent), Labels: list(i.Labels), Note: i.Note, Verdict: i.Verdict,
		Consent: i.Consent, Redacted: list(i.Redacted), Tools: i.Tools, Withdrawn: i.Withdrawn, Feedback: i.Feedback, FeedbackAt: optionalTime(i.FeedbackAt), By: i.By, At: i.At,
	}
	for _, m := range i.Input {
		out.Input = append(out.Input, client.ChatMessage(m))
	}
	return out
}

func (a *API) exportOf(ctx context.Context) func(dataset.Export) client.DatasetExport {
	name := a.personNames(ctx)
	return func(x dataset.Export) client.DatasetExport {
		return client.DatasetExport{
			ID: x.ID, Dataset: x.Dataset, Version: x.Version, Format: x.Format, Items: x.Items, SHA256: x.SHA256, By: name(x.Person), Reason: x.Reason, At: x.At,
			Withdrawn: x.Withdrawn, Left: x.Left, Content: string(x.Content),
		}
	}
}

func listDatasets(a *API, ctx context.Context, _ *client.ListDatasetsRequest) (*client.List[client.Dataset], error) {
	book, err := a.datasets()
	if err != nil {
		return nil, err
	}
	all, err := book.List(ctx)
	who := whoOf(ctx)
	seen := all[:0]
	for _, s := range all {
		if maySeeAt(who, s.Team, s.Environment) {
			seen = append(seen, s)
		}
	}
	return listOf(seen, err, datasetOf)
}

func putDataset(a *API, ctx context.Context, req *client.PutDatasetRequest) (*client.Dataset, error) {
	book, err := a.datasets()
	if err != nil {
		return nil, err
	}
	s, err := book.Put(ctx, datasetActor(ctx), dataset.Set{Name: req.Name, Team: req.Team, Environment: req.Environment, About: req.About, Basis: req.Basis})
	if err != nil {
		return nil, err
	}
	out := datasetOf(s)
	return &out, nil
}

func deleteDataset(a *API, ctx context.Context, req *client.DatasetRequest) (*struct{}, error) {
	book, err := a.datasets()
	if err != nil {
		return nil, err
	}
	return &struct{}{}, book.Delete(ctx, datasetActor(ctx), req.Name)
}

func listDatasetItems(a *API, ctx context.Context, req *client.ListDatasetItemsRequest) (*client.List[client.DatasetItem], error) {
	book, err := a.datasets()
	if err != nil {
		return nil, err
	}
	_, all, err := book.Items(ctx, datasetActor(ctx), req.Name, req.Version, req.Limit)
	return listOf(all, err, datasetItemOf)
}

func addDatasetItem(a *API, ctx context.Context, req *client.AddDatasetItemRequest) (*client.DatasetItem, error) {
	book, err := a.datasets()
	if err != nil {
		return nil, err
	}
	n := dataset.Case{
		Run: req.Run, Expected: req.Expected, Contains: req.Contains, Absent: req.Absent, Labels: req.Labels, Note: req.Note, Verdict: req.Verdict, Consent: req.Consent,
	}
	for _, m := range req.Input {
		n.Input = append(n.Input, dataset.Message(m))
	}
	i, err := book.Add(ctx, datasetActor(ctx), req.Name, n)
	if err != nil {
		return nil, err
	}
	out := datasetItemOf(i)
	return &out, nil
}

func removeDatasetItem(a *API, ctx context.Context, req *client.DatasetItemRequest) (*struct{}, error) {
	book, err := a.datasets()
	if err != nil {
		return nil, err
	}
	return &struct{}{}, book.Remove(ctx, datasetActor(ctx), req.Name, req.Item)
}

func exportDataset(a *API, ctx context.Context, req *client.ExportDatasetRequest) (*client.DatasetExport, error) {
	book, err := a.datasets()
	if err != nil {
		return nil, err
	}
	x, err := book.Export(ctx, datasetActor(ctx), req.Name, req.Version, req.Format, req.Reason)
	if err != nil {
		return nil, err
	}
	out := a.exportOf(ctx)(x)
	return &out, nil
}

func listDatasetExports(a *API, ctx context.Context, req *client.DatasetRequest) (*client.List[client.DatasetExport], error) {
	book, err := a.datasets()
	if err != nil {
		return nil, err
	}
	all, err := book.Exports(ctx, datasetActor(ctx), req.Name)
	return listOf(all, err, a.exportOf(ctx))
}

func listRunCases(a *API, ctx context.Context, req *client.IDRequest) (*client.List[client.DatasetItem], error) {
	book, err := a.datasets()
	if err != nil {
		return nil, err
	}
	all, err := book.Cases(ctx, datasetActor(ctx), req.ID)
	return listOf(all, err, func(i dataset.Item) client.DatasetItem {
		// Where it is a case is no content; what it says is.
		return client.DatasetItem{ID: i.ID, Case: i.Case, Dataset: i.Dataset, Added: i.Added, Revision: i.Revision, Run: i.Run, Agent: i.Agent, AgentVersion: i.Version, Verdict: i.Verdict, Consent: i.Consent, Withdrawn: i.Withdrawn, By: i.By, At: i.At, Input: []client.ChatMessage{}, Contains: []string{}, Absent: []string{}, Labels: []string{}, Redacted: []string{}}
	})
}

// withdraw takes a user who is erased out of topics and data sets, too, and tells in which
// exports they were.
func (a *API) withdraw(ctx context.Context, team, user, reason string) (items int64, exports []client.DatasetExport, err error) {
	exports = []client.DatasetExport{}
	if a.o.Topics.Topics != nil {
		if _, err := a.o.Topics.Topics.Erase(ctx, team, user); err != nil {
			return 0, exports, err
		}
	}
	if a.o.Datasets == nil || user == "" {
		return 0, exports, nil
	}
	w, err := a.o.Datasets.Withdraw(ctx, datasetActor(ctx), team, user, reason)
	shape := a.exportOf(ctx)
	for _, x := range w.Exports {
		exports = append(exports, shape(x))
	}
	if err == nil && a.o.Experiments != nil {
		_, err = a.o.Experiments.Forget(ctx, w.IDs) // what agents said to their cases
	}
	return w.Items, exports, err
}

// erasedEverywhere is an erasure with what it took out of data sets. Each part is
// tried, whatever becomes of the other: what is gone is gone.
func erasedEverywhere[T any](out *T, err, more error) (*T, error) {
	if err := errors.Join(err, more); err != nil {
		return nil, err
	}
	return out, nil
}
