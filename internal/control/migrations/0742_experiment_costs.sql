-- What a try cost, where a price is known: a cheaper model is cheaper by this.
ALTER TABLE experiment_results ADD COLUMN cost_nanos INTEGER; -- USD; NULL unknown
